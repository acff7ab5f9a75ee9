"""The small cast every test knows, written into the template database once.

Acorn: owner Ana, accounts manager Ben, viewer Vic. Birch: owner Bea, who must never see a row of Acorn's.
Every text of Birch carries CANARY, so that a leak is found by searching for it.
"""

CANARY = "birchcanary"
PASSWORD = "correct horse battery staple"


def build() -> None:
    from core.scope import Actor, Scope, enter, work
    from core.seals import seal_due
    from tenants.models import User
    from tenants.permissions import ACCOUNTS_MANAGER, VIEWER
    from tenants.services.organizations import add_member, create_organization

    people = {
        name: User.objects.create_user(f"{name.lower()}@{house}.example", name, PASSWORD)
        for name, house in {"Ana": "acorn", "Ben": "acorn", "Vic": "acorn", "Bea": "birch"}.items()
    }
    acorn = create_organization(
        owner=people["Ana"],
        name="Acorn Instruments",
        slug="acorn",
        country="DE",
        currency="EUR",
        zone="Europe/Berlin",
        tax_percent="19",
    )
    birch = create_organization(
        owner=people["Bea"],
        name=f"Birch {CANARY}",
        slug="birch",
        country="US",
        currency="USD",
        zone="America/New_York",
    )
    with enter(Scope(acorn, Actor("system", label="cast"))), work():
        add_member(user=people["Ben"], role=ACCOUNTS_MANAGER)
        add_member(user=people["Vic"], role=VIEWER)
    for organization in (acorn, birch):  # nothing is due when a test begins
        with enter(Scope(organization, Actor("system", label="cast"))):
            seal_due([])


if __name__ == "__main__":
    import django

    django.setup()
    build()
