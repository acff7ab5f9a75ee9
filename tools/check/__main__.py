"""`python -m tools.check`: one line per check, its full output when it fails, exit code 1 if any does.

`--fix` formats instead. Names given as words run only those checks, in either case.
"""

import argparse
import os
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tools.check.steps import FIXES, STEPS, Step


@dataclass(frozen=True)
class Result:
    """How one check went."""

    name: str
    passed: bool
    output: str
    seconds: float

    def __str__(self) -> str:
        line = f"{'ok  ' if self.passed else 'FAIL'} {self.name:<12} {self.seconds:5.1f} s"
        return line if self.passed or not self.output else f"{line}\n{self.output}\n"


def timed(step: Step) -> Result:
    """Run one check. A program that cannot be started is a failed check, not the end of the others."""
    start = time.perf_counter()
    try:
        passed, output = step.run()
    except (OSError, SyntaxError) as error:
        passed, output = False, str(error)
    return Result(step.name, passed, output, time.perf_counter() - start)


def run_together(steps: list[Step]) -> bool:
    """All steps over the processors there are, slow ones started first, reported in their own order."""
    with ThreadPoolExecutor(max_workers=max(2, os.cpu_count() or 2)) as pool:
        started: dict[str, Future[Result]] = {
            step.name: pool.submit(timed, step) for step in sorted(steps, key=lambda step: not step.slow)
        }
        results = [started[step.name].result() for step in sorted(steps, key=lambda step: step.slow)]
        for result in results:
            print(result, flush=True)
    return all(result.passed for result in results)


def run_in_turn(steps: list[Step]) -> bool:
    """Steps that change files, one after the other."""
    results = [timed(step) for step in steps]
    print("\n".join(map(str, results)))
    return all(result.passed for result in results)


def main() -> int:
    """Parse the command line and run; 0 when every check passed."""
    parser = argparse.ArgumentParser(prog="python -m tools.check", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(step.name for step in STEPS))
    parser.add_argument("--fix", action="store_true", help="format and repair what can be")
    options = parser.parse_args()
    steps = FIXES if options.fix else STEPS
    if unknown := set(options.names) - {step.name for step in steps}:
        parser.error(f"no such check: {', '.join(sorted(unknown))}")
    chosen = [step for step in steps if not options.names or step.name in options.names]
    return 0 if (run_in_turn if options.fix else run_together)(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
