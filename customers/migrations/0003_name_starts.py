import core.base
import core.constraints
import django.db.models.deletion
import django.db.models.manager
from django.db import migrations, models


FILL = """
    INSERT INTO customers_namestart (organization_id, customer_id, start)
    SELECT c.organization_id, c.id, substr(c.name_key, place)
    FROM customers_customer c, generate_series(1, length(c.name_key)) AS place
    WHERE place = 1 OR (strpos(' -/(.&', substr(c.name_key, place - 1, 1)) > 0
                        AND strpos(' -/(.&', substr(c.name_key, place, 1)) = 0)
"""


class Migration(migrations.Migration):
    """Customers are found by the start of any word of their name, those who are there already too."""

    dependencies = [
        ('core', '0006_closer_rules'),
        ('customers', '0002_doors'),
    ]

    operations = [
        migrations.CreateModel(
            name='NameStart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start', models.CharField(max_length=200)),
                ('customer', core.base.TenantForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='customers.customer')),
                ('organization', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='core.organization')),
            ],
            options={
                'indexes': [models.Index(fields=['organization', 'start', 'customer'], name='namestart_by_start')],
                'constraints': [models.UniqueConstraint(fields=('organization', 'customer', 'start'), name='namestart_once'), core.constraints.TenantRLS(column='organization_id', name='customers_namestart_tenant'), models.UniqueConstraint(fields=('organization', 'id'), name='customers_namestart_key'), core.constraints.TenantFK(field='customer', name='customers_namestart_customer_fk')],
            },
            managers=[
                ('objects', django.db.models.manager.Manager()),
                ('unscoped', django.db.models.manager.Manager()),
            ],
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
