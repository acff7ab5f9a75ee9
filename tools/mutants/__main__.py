"""python -m tools.mutants [part of a name...] [--each] [--list]

Takes one guarantee after the other away from a copy of the migrated database, or puts a fault into the code, and
runs the tests that must notice. Rules whose tests are generated one by one are taken away together, a whole kind
in one copy, each having to fail its own test; --each tries them singly. Exits 1 when one is not
noticed, 2 when a test fails without any fault.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import psycopg2

from tests import databases
from tools.check.files import ROOT
from tools.mutants.faults import FAULTS
from tools.mutants.rules import EQUIVALENT, STATEMENTS, Mutant, mutants


def main(given: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.mutants", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--each", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args(given)
    template = databases.template()
    found = [mutant for mutant in mutants(_catalogue(template)) if mutant.name not in EQUIVALENT]
    chosen = [mutant for mutant in found if _wanted(mutant.name, options.names)]
    faults = [name for name in FAULTS if _wanted(name, options.names)]
    if options.list:
        print("\n".join([*(mutant.name for mutant in chosen), *faults]))
        return 0
    files = sorted(
        {test for mutant in chosen for test in mutant.tests} | {test for f in faults for test in FAULTS[f][1]}
    )
    if failing := _failed(_run(template, files)):
        print("fails without any fault, mend that first:", *sorted(failing)[:10], sep="\n  ")
        return 2
    survivors = [
        *_rules(template, chosen, singly=options.each),
        *_faults(template, faults),
    ]
    print(f"{len(chosen) + len(faults)} tried, {len(survivors)} not noticed")
    for name in survivors:
        print(f"  NOT NOTICED  {name}")
    return 1 if survivors else 0


def _wanted(name: str, parts: Sequence[str]) -> bool:
    return not parts or any(part in name for part in parts)


def _catalogue(database: str) -> dict[str, list[tuple[object, ...]]]:
    return {kind: databases.as_owner(statement, name=database) for kind, statement in STATEMENTS.items()}


def _rules(template: str, chosen: Sequence[Mutant], *, singly: bool) -> list[str]:
    groups: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in chosen:
        groups[mutant.name if singly else mutant.group].append(mutant)
    survivors = []
    for group, members in groups.items():
        unnoticed = _try(template, members)
        survivors += unnoticed
        print(f"{group}: {len(members) - len(unnoticed)} of {len(members)} noticed", flush=True)
    return survivors


def _try(template: str, members: Sequence[Mutant]) -> list[str]:
    """Take the members' rules away in one copy and return the names of those that no test noticed."""
    database = "arapp_mutant"
    databases.drop(database)
    databases.as_owner(f'CREATE DATABASE "{database}" TEMPLATE "{template}"')
    try:
        for mutant in members:
            try:
                databases.as_owner(mutant.sql, name=database)
            except psycopg2.errors.UndefinedObject:
                continue  # went with another one's CASCADE
        failed = _failed(_run(database, sorted({test for mutant in members for test in mutant.tests})))
    finally:
        databases.drop(database)
    return [mutant.name for mutant in members if not (mutant.case in failed if mutant.case else failed)]


def _faults(template: str, names: Sequence[str]) -> list[str]:
    survivors = []
    for name in names:
        noticed = bool(_failed(_run(template, FAULTS[name][1], fault=name)))
        survivors += [] if noticed else [name]
        print(f"{name}: {'noticed' if noticed else 'NOT NOTICED'}", flush=True)
    return survivors


def _run(template: str, tests: Sequence[str], *, fault: str = "") -> Path:
    """Run the tests on clones of a database; the report of what happened."""
    report = Path(tempfile.mkdtemp()) / "report.xml"
    existing = [test for test in tests if (ROOT / test).exists()]
    extra = ["-p", "tools.mutants.faults"] if fault else []
    subprocess.run(
        [sys.executable, "-m", "pytest", *existing, *extra, "-q", "--tb=no", f"--junitxml={report}"],
        cwd=ROOT,
        env={**os.environ, "ARAPP_TEST_TEMPLATE": template, "ARAPP_FAULT": fault},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return report


def _failed(report: Path) -> set[str]:
    """Names of the tests that failed; a run that could not even start has failed as a whole."""
    if not report.exists():
        return {"everything"}
    cases = ElementTree.parse(report).iter("testcase")  # noqa: S314 - our own report
    return {
        case.get("name", "")
        for case in cases
        if case.find("failure") is not None or case.find("error") is not None
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
