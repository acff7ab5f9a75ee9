"""Bringing a file in: uploaded, its columns named, checked, run, and undone while nothing came of it yet.

A check and a run go through the file in the same chunks and by the same plan; only the run writes what was planned.
Each chunk is one transaction with the count of rows worked off, so that whoever comes back goes on behind it.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import bulk, clock, effects, files, registry, states, vault
from core.errors import AppError, Conflict, Invalid, NotFound
from core.events import emit
from core.imports.base import Importer, Outcome, Planned, Row, Setup
from core.imports.events import ImportEnded
from core.imports.reading import Outline, Shape, outline
from core.imports.rows import read_rows, setup_of, suggested
from core.imports.states import MOVES, State
from core.locks import lock_one
from core.models import Import, ImportRow
from core.scope import current, require, work

CHUNK = 1000
OVERTAKEN = 3
"""How often a chunk is planned when others bring in the same things at that moment."""
TURN = timedelta(minutes=4)
"""How long a worker stays with one file before it lets others have their turn."""
EFFECT = "import"
COUNTS = ("worked", "created", "unchanged", "failed")


def importer_of(source: Import) -> Importer:
    """The importer of the file's kind."""
    found: Importer = registry.importers[source.kind]
    return found


def by_public_id(public_id: str) -> Import:
    """The import with this public id; raises NotFound. Inside work()."""
    found = Import.objects.select_related("file").filter(public_id=public_id).first()
    if found is None:
        raise NotFound("That import is not here.")
    return found


def samples_of(source: Import) -> list[list[str]]:
    """The cells of the file's first rows. Inside work()."""
    found: list[list[str]] = json.loads(vault.reveal(source, "samples") or "[]")
    return found


def sealed_samples(public_id: str, samples: list[list[str]]) -> str:
    """The cells of a file's first rows as the import of this id keeps them. Inside work()."""
    return vault.seal(Import, "samples", public_id, json.dumps(samples))


def permitted(public_id: str) -> Import:
    """The import, when the actor may bring in what it holds; raises NotFound, Forbidden. Inside work()."""
    source = by_public_id(public_id)
    require(importer_of(source).permission)
    return source


def reread(public_id: str, shape: Shape) -> None:
    """Read the file in another encoding or with another separator. Runs its own work(); raises Unreadable."""
    found = outlined(public_id, shape)
    with work():
        read_as(public_id, shape, found)


def outlined(public_id: str, shape: Shape) -> Outline:
    """What a file holds when it is read so. Runs its own work(), outside any other; raises Unreadable."""
    with work():
        source = permitted(public_id)
    return outline(files.read(source.file), shape)


def read_as(public_id: str, shape: Shape, found: Outline) -> Import:
    """Take a file as it was outlined. Inside work(); raises StateConflict once it runs."""
    source = _unstarted(public_id)
    if source.state != State.UPLOADED:  # what was checked was another reading
        states.move(source, State.UPLOADED, moves=MOVES)
        ImportRow.objects.filter(source=source).delete()
    source.reading = {"encoding": shape.encoding, "delimiter": shape.delimiter}
    source.headers, source.rows = found.headers, found.rows
    source.samples = sealed_samples(source.public_id, found.samples)
    kept = {name: header for name, header in source.mapping.items() if header in found.headers}
    source.mapping = kept or suggested(importer_of(source), found.headers)
    for count in COUNTS:
        setattr(source, count, 0)
    return source.touch("reading", "headers", "samples", "rows", "mapping", *COUNTS)


def prepare(
    public_id: str, *, mapping: Mapping[str, str], choices: Mapping[str, Any], queued: bool = True
) -> Import:
    """Say what the columns mean and have every row checked. Inside work().

    `mapping` is column name to heading, `choices` may hold decimal_mark, days ("dmy", "mdy"), rounds and values
    (by column, the file's value to ours). Raises Invalid for a required column that has no heading, StateConflict once
    it runs. With `queued` a worker does the check.
    """
    source = _unstarted(public_id)
    named = {name: header for name, header in mapping.items() if header}
    problems = {
        column.name: _("Choose the heading of this column.")
        for column in importer_of(source).columns
        if column.required and named.get(column.name) not in source.headers
    } | {name: _("There is no such heading.") for name in named if named[name] not in source.headers}
    if problems:
        raise Invalid(_("Say where the file has what is needed."), fields=problems)
    source.mapping, source.choices = named, dict(choices)
    source.touch("mapping", "choices")
    _begin(source, State.CHECKING, queued=queued)
    return source


def start(public_id: str, *, queued: bool = True) -> Import:
    """Run what was checked. Inside work(); sent again it changes nothing. Raises Conflict where nothing is new."""
    source = lock_one(Import.objects.filter(public_id=public_id))
    if source.state == State.RUNNING:
        return source
    if source.state == State.READY and not source.created:
        raise Conflict(_("There is nothing in this file that is not here already."))
    _begin(source, State.RUNNING, queued=queued)
    return source


def stop(public_id: str) -> None:
    """End a run behind the chunk it is at; what is in stays in. Inside work()."""
    source = lock_one(Import.objects.filter(public_id=public_id))
    if source.state != State.STOPPED:
        states.move(source, State.STOPPED, moves=MOVES)


def discard(public_id: str) -> None:
    """Give up an import that has not begun. Inside work()."""
    source = lock_one(Import.objects.filter(public_id=public_id))
    if source.state != State.DISCARDED:
        states.move(source, State.DISCARDED, moves=MOVES)


def undo(public_id: str, *, queued: bool = True) -> None:
    """Take back everything that a run made, as long as none of it was used. Inside work()."""
    source = lock_one(Import.objects.filter(public_id=public_id))
    if source.state in {State.UNDOING, State.UNDONE}:
        return
    states.move(source, State.UNDOING, moves=MOVES, message="")
    _queue(source, queued=queued)


def _unstarted(public_id: str) -> Import:
    source = lock_one(Import.objects.filter(public_id=public_id))
    if source.state not in {State.UPLOADED, State.CHECKING, State.READY}:
        raise states.StateConflict(_("This import has begun; its columns stay as they are."))
    return source


def _begin(source: Import, state: State, *, queued: bool) -> None:
    nothing: dict[str, Any] = dict.fromkeys(COUNTS, 0)
    states.move(source, state, moves=MOVES, message="", **nothing)
    ImportRow.objects.filter(source=source).delete()
    _queue(source, queued=queued)


def _queue(source: Import, *, queued: bool) -> None:
    person = current().actor.person
    if person is not None and source.asked_by != person:
        Import.objects.filter(pk=source.pk).update(asked_by=person)
    if queued:
        effects.due(EFFECT, [(f"{source.public_id}:{source.version}", {"import": source.public_id})])


@registry.effect(EFFECT, gettext_lazy("Check, bring in or undo a file"))
def work_queued(effect: Any) -> None:
    """Work a file off for one turn."""
    if not work_off(effect.payload["import"], until=clock.wall() + TURN):
        raise effects.Later(clock.now())


@registry.given_up(EFFECT)
def let_go(effect: Any, why: str) -> None:
    """A file that no worker comes for any more goes back to where a person can act, with the reason."""
    source = lock_one(Import.objects.filter(public_id=effect.payload["import"]))
    back = {
        State.CHECKING: State.UPLOADED,
        State.RUNNING: State.STOPPED,
        State.UNDOING: State.DONE if source.worked == source.rows else State.STOPPED,
    }
    if (to := back.get(State(source.state))) is not None:
        message = _("It kept failing and is parked: %(why)s") % {"why": why}
        states.move(source, to, moves=MOVES, message=message)
        _tell(source)


def work_off(public_id: str, *, until: Any = None, chunk: int = CHUNK) -> bool:
    """Check, run or undo a file as far as it stands; False when time was up before it was through.

    Only a run can be gone on with, so only a run minds the time. Two workers at one file do no harm: each chunk begins
    where the row says it does, or its worker leaves.
    """
    with work():
        source = by_public_id(public_id)
        if (
            source.state == State.CHECKING and source.worked
        ):  # what earlier rows would make is known to no one now
            _begin(source, State.CHECKING, queued=False)
    if source.state == State.UNDOING:
        _undo(source)
        return True
    if source.state not in {State.CHECKING, State.RUNNING}:
        return True
    data = files.read(source.file)
    importer = importer_of(source)
    setup = setup_of(source, importer, data)
    rows = islice(read_rows(source, importer, data, setup), source.worked, None)
    for part in _chunks(rows, chunk):
        if until is not None and source.state == State.RUNNING and clock.wall() >= until:
            return False
        if not _chunk(source, importer, part, setup):
            return True
    _end(source)
    return True


def _chunks(rows: Iterator[Row], size: int) -> Iterator[list[Row]]:
    while part := list(islice(rows, size)):
        yield part


def _chunk(source: Import, importer: Importer, rows: list[Row], setup: Setup) -> bool:
    """Work off one chunk; False when somebody else did, or stopped it. `source` is brought up to date."""
    with work():
        there = lock_one(Import.objects.filter(pk=source.pk))
        if (there.state, there.worked, there.version) != (source.state, source.worked, source.version):
            return False
        bulk.plan_anew()
        try:
            planned, made = _planned_and_made(there, importer, rows, setup)
        except AppError as error:
            states.move(there, State.STOPPED, moves=MOVES, message=error.message)
            _tell(there)
            return False
        _record(there, planned, made)
    source.worked, source.version = there.worked, there.version
    return True


def _planned_and_made(
    source: Import, importer: Importer, rows: list[Row], setup: Setup
) -> tuple[list[Planned], dict[int, str]]:
    """The plan of each row, and what a run made by it. A plan that was overtaken is made anew.

    A run sees what earlier chunks made in the database, as one that was cut off in between does.
    """
    if source.state != State.RUNNING:
        return _plan(importer, rows, setup), {}
    tries = OVERTAKEN
    while True:
        setup.seen.clear()
        planned = _plan(importer, [replace(row, problems=[*row.problems]) for row in rows], setup)
        fresh = [each for each in planned if each.outcome is Outcome.CREATED]
        tries -= 1
        try:
            with transaction.atomic():
                written = importer.write(fresh, setup) if fresh else []
        except IntegrityError:  # somebody made one of them since they were looked for
            if not tries:
                raise
            continue
        return planned, {each.row.number: public_id for each, public_id in zip(fresh, written, strict=True)}


def _plan(importer: Importer, rows: Sequence[Row], setup: Setup) -> list[Planned]:
    """What becomes of each row, in order; a row with a problem is not shown to the importer."""
    planned = importer.plan([row for row in rows if not row.problems], setup)
    by_number = {each.row.number: each for each in planned}
    found = [by_number.get(row.number) or Planned(row, Outcome.FAILED) for row in rows]
    for each in found:
        if each.row.problems:
            each.outcome = Outcome.FAILED
    return found


def _record(source: Import, planned: Sequence[Planned], made: Mapping[int, str]) -> None:
    running = source.state == State.RUNNING
    bulk.insert(
        ImportRow,
        [
            {
                "source_id": source.pk,
                "number": each.row.number,
                "outcome": str(each.outcome),
                "made": made.get(each.row.number, ""),
                "problems": [
                    {"column": problem.column, "message": problem.message, "code": problem.code}
                    for problem in each.row.problems
                ],
            }
            for each in planned
            if running or each.outcome is Outcome.FAILED
        ],
    )
    source.worked += len(planned)
    for outcome in Outcome:
        count = sum(each.outcome is outcome for each in planned)
        setattr(source, outcome, getattr(source, outcome) + count)
    source.touch(*COUNTS)


def _end(source: Import) -> None:
    with work():
        there = lock_one(Import.objects.filter(pk=source.pk))
        if (there.state, there.worked) == (source.state, there.rows):
            to = State.READY if there.state == State.CHECKING else State.DONE
            states.move(there, to, moves=MOVES)
            _tell(there)


def _tell(source: Import) -> None:
    """Let it be known how a run or its undoing ended; what was only checked is nobody's news. Inside work()."""
    if source.state in {State.DONE, State.STOPPED, State.UNDONE}:
        emit(
            ImportEnded(
                source.public_id, source.version, source.kind, source.state, source.created, source.failed
            )
        )


def _undo(source: Import) -> None:
    """All or nothing, in one transaction."""
    with work():
        there = lock_one(Import.objects.filter(pk=source.pk))
        if there.state != State.UNDOING:
            return
        rows = ImportRow.objects.filter(source=there, outcome=Outcome.CREATED).order_by("number")
        try:
            with transaction.atomic():
                importer_of(there).undo(list(rows.values_list("made", flat=True)))
        except AppError as error:
            to = State.DONE if there.worked == there.rows else State.STOPPED
            states.move(there, to, moves=MOVES, message=error.message)
            _tell(there)
            return
        states.move(there, State.UNDONE, moves=MOVES)
        _tell(there)
