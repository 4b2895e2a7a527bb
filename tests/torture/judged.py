"""Carries out one trial as a user would, and judges it by what users, databases and journal say."""

import itertools
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from crossfade.journal.sqlite import SqliteJournal
from crossfade.model import ends
from crossfade.model.entry import Entry
from crossfade.model.events import EndReached, EndWanted, EngineStarted
from tests.rehearsal.run import PATIENCE_S, Home, Ran
from tests.torture.trials import Trial
from tests.torture.witness import Witness

FILE = Path(__file__).resolve().parents[1] / "data" / "torture.yaml"
COMPARING = """
shadow: {enabled: true, sample_percent: 100, repeat_percent: 100, duration: 1m, minimum_pairs: 50, max_in_flight: 20,
  max_difference_percent: 5, mask_fields: [customer]}
"""
"""What a file says more that compares answers. The difference let pass is that of an incident of both sides."""
SPEED = 10.0
_WINDOW_MS = 1_000.0
_MORE_FOR_EACH_RESUME_MS = 500.0  # the statements that are said again, on a computer that is busy
_KILLED_IN_A_SWITCH = re.compile(r"controller-kill@(cutover|fail_back):")
_ANY_IN_A_SWITCH = re.compile(r".+@(cutover|fail_back)(:.+)?")
_LAST_WORDS = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`problems` empty: everything was as promised. `missed` are the faults that were not brought about, with why."""

    cells: tuple[str, ...]
    faults: tuple[str, ...]
    foretold: tuple[str, ...]
    outcome: str | None
    final_primary: str | None
    write_unavailable_ms: tuple[float, ...]
    resumes: int | None
    resume_ms: tuple[float, ...]
    looks: int
    seconds: float
    problems: tuple[str, ...]
    missed: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def carry_out(trial: Trial, home: Home, *, speed: float = SPEED, seed: int = 1) -> Verdict:
    began = time.monotonic()
    words = ["--speed", f"{speed:g}", "--seed", str(seed)]
    with Witness(home.folder) as witness:
        ran = _rehearse(home, file_of(trial, home), *words, *(w for fault in trial.faults for w in ("--fault", fault)))
    result = ran.result
    entries = _journal(result)
    windows = tuple(result.get("write_unavailable_ms", ()))
    resumes = _resumes_within_switches(entries)
    missed = tuple(re.findall(r"not brought about (\S+: .*)", ran.said))
    problems = [*as_promised(trial, ran, missed), *one_writer(witness, result), *too_long(trial, windows, resumes)]
    if home.left():
        problems.append(f"left running: {', '.join(p.name() for p in home.left())}")
    return Verdict(
        cells=tuple(map(str, trial.cells)),
        faults=trial.faults,
        foretold=tuple(sorted(trial.ends)),
        outcome=result.get("outcome"),
        final_primary=result.get("final_primary"),
        write_unavailable_ms=windows,
        resumes=result.get("resumes"),
        resume_ms=resumes,
        looks=witness.looks,
        seconds=round(time.monotonic() - began, 1),
        problems=tuple(problems),
        missed=missed,
    )


def file_of(trial: Trial, home: Home) -> Path:
    """The matrix's file, or what is written beside the home of a rehearsal that compares answers, too."""
    if not trial.compares_answers:
        return FILE
    comparing = home.folder.parent / "torture-comparing.yaml"
    comparing.write_text(FILE.read_text(encoding="utf-8") + COMPARING, encoding="utf-8")
    return comparing


def _rehearse(home: Home, file: Path, *words: str) -> Ran:
    """One that does not end is ended, in order, and has no result."""
    process = home.begin("rehearse", str(file), "--json", "--report", str(home.reports), *words)
    try:
        return home.finish(process)
    except subprocess.TimeoutExpired:
        process.terminate()
        ran = home.finish(process)
        return Ran(ran.code, f"{ran.said}\nit did not end within {PATIENCE_S:g} s", {})


def as_promised(trial: Trial, ran: Ran, missed: Sequence[str] = ()) -> Iterator[str]:
    """What was to decide the end and was `missed` decides nothing; it is tried alone."""
    result = ran.result
    if not result:
        yield f"ended with {ran.code} and no result: {_end_of(ran.said)}"
        return
    undecided = {"completed"} if any(why.startswith(f"{trial.cells[0]}: ") for why in missed) else set()
    if result["outcome"] not in trial.ends | undecided:
        yield f"{result['outcome']} instead of {' or '.join(sorted(trial.ends))}: {result['reason']}"
    if ran.code != (0 if result["outcome"] == "completed" else 10):
        yield f"exit code {ran.code}"
    if (result["lost_writes"], result["duplicate_writes"]) != (0, 0):
        yield f"{result['lost_writes']} lost, {result['duplicate_writes']} twice"
    if result["acknowledged_writes"] == 0:
        yield "no write was acknowledged"
    yield from (f"rule broken: {words}" for words in result["violations"])


def one_writer(witness: Witness, result: dict[str, Any]) -> Iterator[str]:
    if witness.both:
        yield f"both sides took writes, seen {witness.both} times"
    if result and witness.last != (result["final_primary"],):
        yield f"at the end writes are taken by {witness.last}, not by {result['final_primary']} alone"


def too_long(trial: Trial, windows: Sequence[float], resumes: Sequence[float]) -> Iterator[str]:
    """Only where nothing but the engine was struck in a switch: what else was struck may take as long as it lasts."""
    struck = [fault for fault in trial.faults if _ANY_IN_A_SWITCH.fullmatch(fault)]
    if not struck or not all(_KILLED_IN_A_SWITCH.match(fault) for fault in struck):
        return
    most = _WINDOW_MS + _MORE_FOR_EACH_RESUME_MS * len(struck)
    for window, resuming in zip(windows, resumes, strict=False):
        if window - resuming > most:
            yield f"no writes for {window:.0f} ms, of which resuming took {resuming:.0f} ms"


def _resumes_within_switches(entries: Sequence[Entry]) -> tuple[float, ...]:
    """For each switch, how long there was no engine, or one that was only starting, since the switch was wanted."""
    lasted: list[float] = []
    dead, since = 0.0, None
    for before, entry in itertools.pairwise(entries):
        event = entry.event
        if isinstance(event, EndWanted) and isinstance(event.end, ends.WriterIs) and since is None:
            since = entry.at
        elif isinstance(event, EngineStarted) and since is not None:
            dead += _ms(before.at, entry.at)
        elif isinstance(event, EndReached) and isinstance(event.end, ends.WriterIs):
            lasted.append(round(dead, 1))
            dead, since = 0.0, None
    return tuple(lasted)


def _ms(since: datetime, until: datetime) -> float:
    return (until - since).total_seconds() * 1000


def _journal(result: dict[str, Any]) -> Sequence[Entry]:
    if not result:
        return ()
    journal = SqliteJournal(Path(result["journal"]), must_exist=True, read_only=True)
    try:
        return journal.read()
    finally:
        journal.close()


def _end_of(said: str) -> str:
    return "\n".join(said.splitlines()[-_LAST_WORDS:])
