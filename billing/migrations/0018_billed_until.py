import datetime

from django.db import migrations, models

FILLED = """
UPDATE billing_billedperiod p
SET until = least(
    CASE WHEN i.ends_on = p.period_end THEN i.ends_time END, CASE WHEN s.ends_on = p.period_end THEN s.ends_time END
)
FROM billing_subscriptionitem i JOIN billing_subscription s
    ON s.organization_id = i.organization_id AND s.id = i.subscription_id
WHERE i.organization_id = p.organization_id AND i.id = p.item_id AND s.proration = 'second'
    AND p.period_end IN (i.ends_on, s.ends_on);
SET CONSTRAINTS ALL IMMEDIATE;
"""
"""What was billed up to a time of its last day was so by what ends on it."""


class Migration(migrations.Migration):

    dependencies = [
        ('billing', '0017_series_index'),
    ]

    operations = [
        migrations.AddField(
            model_name='billedperiod',
            name='until',
            field=models.TimeField(db_default=datetime.time(0, 0), default=datetime.time(0, 0)),
        ),
        migrations.RunSQL(FILLED, migrations.RunSQL.noop),
    ]
