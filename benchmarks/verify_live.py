"""Whether verification under live writes raises false alarms, ends, and finds what is planted: two million rows.

Run with `.venv/bin/python -m benchmarks.verify_live [ROWS] [RUNS]`; results go to benchmarks/results/verify_live.json.
About three minutes. PostgreSQL 13 replicates to 18 while 2,000 writes a second change it (benchmarks/under_writes.py).
In each case four differences, of five rows, stand on the target behind replication's back: a changed row, a missing
one, one too many, and two rows whose values were exchanged. When a third of the rows are compared, something happens: a
column is added on both sides, the target is killed and started again, the subscription is disabled for some seconds.
What is told must be the planted ones and nothing else; that they are all there is, a comparison at rest shows
afterwards. Each case is run some times. Its time against one at rest leaves out the outage: from its beginning until
the target has replayed what was written until its end, there was nothing to compare.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from threading import Event as Flag
from typing import Any

from benchmarks.under_writes import SLOT, Replicated, Write, now, reached, replicated, writing
from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Verification
from crossfade.model.terms import Side
from crossfade.verify.examination import How, examine
from crossfade.verify.manifest import Progress
from crossfade.verify.postgres import VerifySettings, verify_at_rest
from crossfade.verify.replay import Replay, SlotReplay
from crossfade.verify.session import Session

RESULTS = Path(__file__).parent / "results" / "verify_live.json"
ROWS, RUNS = 2_000_000, 5
OUTAGE_S = 3.0
MOST_TIMES_REST = 5.0
PATIENCE = timedelta(seconds=60)

# odd keys of rows that no writer touches
PLANT = (
    "UPDATE item SET amount = amount + 1 WHERE id = {a}",
    "DELETE FROM item WHERE id = {b}",
    "INSERT INTO item SELECT {extra}, ref, amount, at, memo, meta FROM item WHERE id = {a}",
    "UPDATE item SET memo = CASE id WHEN {c} THEN 'swapped d' ELSE 'swapped c' END WHERE id IN ({c}, {d})",
)
HAPPENS_AFTER = 1 / 3  # of the rows

Event = Callable[[Replicated, int], None]


def nothing(_pair: Replicated, _run: int) -> None:
    return


def add_column(pair: Replicated, run: int) -> None:
    """In the order that replication needs: first where changes arrive."""
    for side in (Side.TARGET, Side.SOURCE):
        pair.run(side, f"ALTER TABLE item ADD COLUMN added_{run} text DEFAULT 'new'")


def kill_target(pair: Replicated, _run: int) -> None:
    pair.clusters[Side.TARGET].kill()
    time.sleep(OUTAGE_S)  # this long is the server away
    pair.clusters[Side.TARGET].start()
    pair.wait_in_step()


def stop_subscriber(pair: Replicated, _run: int) -> None:
    pair.run(Side.TARGET, f"ALTER SUBSCRIPTION {SLOT} DISABLE")
    time.sleep(OUTAGE_S)  # this long does nothing arrive
    pair.run(Side.TARGET, f"ALTER SUBSCRIPTION {SLOT} ENABLE")
    pair.wait_in_step()


CASES: dict[str, Event] = {
    "plain": nothing,
    "column added": add_column,
    "subscription stopped": stop_subscriber,
    "target killed": kill_target,
}
OUTAGES = (stop_subscriber, kill_target)


class CountedReplay:
    """Counts the waits for the target, and the seconds in them; the rest is that of native replication."""

    def __init__(self, primary: Session, waits: list[float]) -> None:
        self._inner, self._waits = SlotReplay(primary, (SLOT,), patience=PATIENCE), waits

    def wait_replayed(self, position: str, meanwhile: Callable[[], None]) -> None:
        began = time.monotonic()
        self._inner.wait_replayed(position, meanwhile)
        self._waits.append(time.monotonic() - began)


@dataclass(slots=True)
class Course:
    """What becomes known of a verification while it runs."""

    waits: list[float] = field(default_factory=list)
    chunks: int = 0
    far: Flag = field(default_factory=Flag)  # enough rows are compared for something to happen, or it has ended

    def progress(self, told: Progress) -> None:
        self.chunks = told.chunks
        if told.rows > told.of_rows * HAPPENS_AFTER:
            self.far.set()

    def replay(self, primary: Session) -> Replay:
        return CountedReplay(primary, self.waits)


def settings_of(pair: Replicated) -> VerifySettings:
    return VerifySettings(
        source=pair.dsn(Side.SOURCE), target=pair.dsn(Side.TARGET), patience=PATIENCE, reconnect_for=PATIENCE
    )


def plant(pair: Replicated, number: int) -> set[str]:
    """The keys of five rows that differ from now on."""
    first = pair.rows // 10 * (2 * number + 1) // 2 * 2 + 1
    keys = {"a": first, "b": first + 2, "c": first + 4, "d": first + 6, "extra": -number - 1}
    pair.run(Side.TARGET, *(statement.format(**keys) for statement in PLANT))
    return {json.dumps({"id": key}) for key in keys.values()}


def live(pair: Replicated, event: Event, run: int) -> tuple[Verification | str, dict[str, Any]]:
    """The event is made by this thread, which outlives it: a server ends with the thread that started it."""
    course = Course()

    def verified() -> tuple[Verification | str, float]:
        how = How(live=True, primary=Side.SOURCE, replays=course.replay, progress=course.progress)
        try:
            return examine(settings_of(pair), how).verification, now()
        except CrossfadeError as failure:
            return str(failure), now()
        finally:
            course.far.set()

    began = now()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(verified)
        course.far.wait()
        happened = now()
        event(pair, run)
        outage = now() - happened if event in OUTAGES else 0.0
        found, ended = running.result()
    return found, {
        "began": began,
        "ended": ended,
        "seconds": round(ended - began, 2),
        "outage_s": round(outage, 2),
        "chunks": course.chunks - 1,  # the table itself, to be cut, is one
        "waits": len(course.waits),
        "seconds_waited": round(sum(course.waits), 2),
    }


def judged(found: Verification | str, planted: set[str]) -> dict[str, Any]:
    if isinstance(found, str):
        return {"no_answer": found}
    told = {difference.key for difference in found.differences}
    return {
        "planted": len(planted),
        "found": len(told & planted),
        "false_alarms": sorted(told - planted)[:10],
        "unresolved": list(found.unresolved)[:10],
    }


def measure(pair: Replicated, event: Event, planted: set[str], *, at_rest: float, runs: int) -> dict[str, Any]:
    """A case: its runs one after the other while writers write, and what a comparison at rest finds afterwards."""
    writes: list[Write] = []
    measured: list[dict[str, Any]] = []
    with writing(pair, writes):
        for run in range(runs):
            found, figures = live(pair, event, run)
            figures["times_rest"] = round((figures["seconds"] - figures["outage_s"]) / at_rest, 2)
            measured.append(figures | judged(found, planted))
    for figures in measured:
        figures["writes_per_second"] = reached(writes, figures.pop("began"), figures.pop("ended"))
    pair.wait_in_step()
    truth = {difference.key for difference in verify_at_rest(settings_of(pair)).differences}
    return {
        "at_rest_s": round(at_rest, 2),
        "times_rest": statistics.median(figures["times_rest"] for figures in measured),
        "most_times_rest": max(figures["times_rest"] for figures in measured),
        "planted_ones_stand": truth == planted,
        "runs": measured,
    }


def rested(pair: Replicated) -> float:
    """Seconds of a comparison at rest: the median of three, of the tables as they have become."""
    return statistics.median(verify_at_rest(settings_of(pair)).duration.total_seconds() for _ in range(3))


def main(rows: int = ROWS, runs: int = RUNS) -> int:
    results: dict[str, Any] = {"rows": rows, "limit_times_rest": MOST_TIMES_REST, "cases": {}}
    with (
        tempfile.TemporaryDirectory(prefix="crossfade-verify-live-") as folder,
        replicated(Path(folder), rows) as pair,
    ):
        verify_at_rest(settings_of(pair))  # warms both servers' memory
        results["live_without_writes_s"] = live(pair, nothing, 0)[1]["seconds"]
        planted: set[str] = set()
        for number, (name, event) in enumerate(CASES.items()):
            at_rest = rested(pair)
            planted |= plant(pair, number)
            results["cases"][name] = measure(pair, event, planted, at_rest=at_rest, runs=runs)
            print(name, json.dumps(results["cases"][name]), flush=True)
    results["kept"] = {name: kept(case) for name, case in results["cases"].items()}
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results["kept"]))
    return 0 if all(results["kept"].values()) else 1


def kept(case: dict[str, Any]) -> bool:
    """No false alarm, everything planted found, and an end in time, in every run."""
    return case["planted_ones_stand"] and all(
        "no_answer" not in run
        and run["found"] == run["planted"]
        and run["false_alarms"] == []
        and run["times_rest"] <= MOST_TIMES_REST
        for run in case["runs"]
    )


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
