"""`run.py soak [--minutes 10] [--seed N]`: two organizations live while their processes are killed at random.

A round is some steps of life with faults among them; then everything must come to rest and be proven. The seed
decides what is done and what is broken; what that meets is decided by the machine.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from random import Random, SystemRandom
from traceback import print_exc

STEPS = 40


def main() -> int:
    parser = argparse.ArgumentParser(prog="run.py soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.minutes:g} minutes", flush=True)
    with tempfile.TemporaryDirectory(prefix="soak-", ignore_cleanup_errors=True) as folder:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "arapp.settings", "DEBUG": "1", "LOG_LEVEL": "ERROR",
            "MEDIA_ROOT": f"{folder}/media", "EMAIL_HOST": "127.0.0.1",
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        }  # fmt: skip
        import django

        django.setup()
        return soak(Path(folder), options.minutes, options.seed)


def soak(folder: Path, minutes: float, seed: int) -> int:
    from tests import databases
    from tests.soak.machines import Machines, Post

    post = Post()
    with databases.own_database(f"arapp_soak_{os.getpid()}") as env:
        machines = Machines({**os.environ, **env, "EMAIL_PORT": str(post.port)}, folder)
        try:
            return rounds(machines, post, minutes, seed)
        finally:
            machines.kill()
            post.leave()


def rounds(machines, post, minutes: float, seed: int) -> int:
    from tests.soak.proofs import drain, happened, prove

    life, faults = Random(seed), Random(seed + 1)
    houses = settle_in(machines, life)
    post.come(["ok"])
    machines.start()
    machines.wait_for_web()
    wrong: list[str] = []
    end, n = time.monotonic() + minutes * 60, 0
    while time.monotonic() < end and not wrong:
        n += 1
        wrong = one_round(machines, post, houses, life, faults)
        began = time.monotonic()
        left = drain(machines, post, houses)
        wrong += left + prove(machines, post, houses)
        print(
            f"round {n}: at rest after {time.monotonic() - began:.0f} s, {len(post.taken)} mails", flush=True
        )
    told = [line for house in houses for line in (str(house), happened(house))]
    for line in [*told, *(f"log: {n} x {text}" for text, n in machines.complaints().items())]:
        print(line)
    print("\n".join([f"WRONG: {each}" for each in wrong]) or "all proven", f"(seed {seed}, {n} rounds)")
    return 1 if wrong else 0


def one_round(machines, post, houses, life: Random, dice: Random) -> list[str]:
    """Steps of life while things break; exceptions that are no refusal."""
    from tests.soak.machines import Faults

    wrong = []
    faults = Faults(machines, post, dice)
    faults.start()
    for _ in range(STEPS):
        house = life.choice(houses)
        try:
            house.step()
        except Exception as error:  # noqa: BLE001 - everything but a refusal is a finding
            print_exc()
            wrong.append(f"{house.slug}: {type(error).__name__}: {error}")
    faults.end()
    print(f"  broken: {', '.join(faults.done) or 'nothing'}", flush=True)
    return wrong


def settle_in(machines, life: Random) -> list:
    """Both organizations of the cast, each with a member's session and a customer to begin with."""
    from django.test import Client

    from tenants.models import User
    from tests.conftest import seat
    from tests.soak.house import Browser, House

    houses = []
    for slug, name, currency in (("acorn", "ana", "EUR"), ("birch", "bea", "USD")):
        email = f"{name}@{slug}.example"
        client = Client()
        client.force_login(User.objects.get(email=email))
        browser = Browser(machines.origin, client.cookies["session"].value)
        house = House(seat(slug, email), slug, browser, Random(life.random()), currency)
        for act in (house.customer, house.customer, house.subscription, house.subscription):
            from core.scope import enter

            with enter(house.scope):
                act()
        houses.append(house)
    return houses


if __name__ == "__main__":
    sys.exit(main())
