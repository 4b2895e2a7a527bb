"""What verification under live writes costs the writers, and which limits spare them: the 99th percentile of a write.

Run with `.venv/bin/python -m benchmarks.verify_limits [ROUNDS] [ROWS]`; about five minutes. Results go to
benchmarks/results/verify_limits.json. Servers and writers are those of benchmarks/under_writes.py; a write's time
counts from the moment that it was due. Without a verification, with one, and with one under each limit: a window of
some seconds each, in an order that is drawn anew in each round, so that whatever else the computer does meets all
alike; without, and with the limit that is to keep the promise, three in each round. What is compared is the percentile
over all windows of a kind, against that without; windows are drawn again to tell how sure the ratio is.
"""

import contextlib
import json
import multiprocessing
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.under_writes import Write, now, reached, replicated, writing
from crossfade.model.terms import Side
from crossfade.verify.examination import How, examine
from crossfade.verify.load import LoadLimits
from crossfade.verify.manifest import Progress
from crossfade.verify.postgres import VerifySettings

RESULTS = Path(__file__).parent / "results" / "verify_limits.json"
ROWS, ROUNDS = 2_000_000, 8
WINDOW_S, SETTLE_S = 3.5, 0.5
PERCENTILE = 99
MOST_TIMES = 1.10
DRAWS = 1_000
WITHOUT = "without"
KINDS: dict[str, tuple[LoadLimits, int]] = {
    "no limit": (LoadLimits(), 5_000),
    "5 %": (LoadLimits(share=0.05), 1_000),
    "1 %": (LoadLimits(share=0.01), 1_000),
    "0.3 %": (LoadLimits(share=0.003), 1_000),
}
"""By the share of the time: the limits, and the rows compared at once."""
PROMISED = "0.3 %"
THRICE = (WITHOUT, PROMISED)
Window = tuple[float, float]


class Ended(Exception):
    """The window is over."""


def verifying(dsns: dict[Side, str], wire: Connection) -> None:
    """A process that verifies by a kind's limits, over and over, until it is told another; tells the rows compared."""
    settings = VerifySettings(source=dsns[Side.SOURCE], target=dsns[Side.TARGET])
    before, compared = 0, 0

    def progress(told: Progress) -> None:
        nonlocal compared
        compared = before + told.rows
        if wire.poll():
            raise Ended

    while (kind := wire.recv()) != "end":
        before, compared = 0, 0
        if how := KINDS.get(kind):
            limits, rows = how
            with contextlib.suppress(Ended):
                while True:
                    examine(
                        replace(settings, limits=limits, live_chunk_rows=rows),
                        How(live=True, primary=Side.SOURCE, progress=progress),
                    )
                    before = compared
        else:
            wire.poll(None)
        wire.send(compared)


@dataclass(slots=True)
class Measured:
    windows: dict[str, list[Window]]
    rows: dict[str, list[int]]  # compared in each window
    writes: list[Write] = field(default_factory=list)


def measure(rows: int, rounds: int) -> Measured:
    kinds = (WITHOUT, *KINDS)
    found = Measured(windows={kind: [] for kind in kinds}, rows={kind: [] for kind in kinds})
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with (
        tempfile.TemporaryDirectory(prefix="crossfade-verify-limits-") as folder,
        replicated(Path(folder), rows) as pair,
    ):
        verifier = context.Process(target=verifying, args=({side: pair.dsn(side) for side in Side}, theirs))
        verifier.start()
        with writing(pair, found.writes):
            before = None
            for _ in range(rounds):
                drawn = [*kinds, *THRICE, *THRICE]
                random.shuffle(drawn)
                for kind in drawn:
                    ours.send(kind)
                    if before is not None:
                        found.rows[before].append(ours.recv())
                    time.sleep(SETTLE_S)  # what was before has left nothing behind by then
                    began = now()
                    time.sleep(WINDOW_S)  # the window in which writes are counted
                    found.windows[kind].append((began, now()))
                    before = kind
            ours.send("end")
            verifier.join(60)
    return found


def told(found: Measured) -> dict[str, Any]:
    at = np.array([write.at for write in found.writes])
    took = np.array([write.milliseconds for write in found.writes])
    by_kind = {
        kind: [took[np.searchsorted(at, began) : np.searchsorted(at, ended)] for began, ended in windows]
        for kind, windows in found.windows.items()
    }
    figures: dict[str, Any] = {}
    for kind, windows in by_kind.items():
        figures[kind] = {
            "windows": len(windows),
            "p50_ms": round(float(np.percentile(np.concatenate(windows), 50)), 3),
            "p99_ms": round(percentile(windows), 3),
            "writes_per_second": round(float(np.mean([reached(found.writes, *span) for span in found.windows[kind]]))),
        }
        if kind != WITHOUT:
            compared_rows = sum(found.rows[kind]) / len(found.rows[kind]) / (WINDOW_S + SETTLE_S)
            figures[kind] |= {"rows_per_second": round(compared_rows)} | compared(by_kind[WITHOUT], windows)
    return figures


def percentile(windows: list[NDArray[np.float64]]) -> float:
    return float(np.percentile(np.concatenate(windows), PERCENTILE))


def compared(without: list[NDArray[np.float64]], these: list[NDArray[np.float64]]) -> dict[str, Any]:
    """The ratio of both percentiles, and where it lies in 95 of 100 drawings of as many windows."""
    draw = random.Random(1)
    ratios = [
        percentile(draw.choices(these, k=len(these))) / percentile(draw.choices(without, k=len(without)))
        for _ in range(DRAWS)
    ]
    low, high = np.percentile(ratios, [2.5, 97.5])
    return {
        "p99_to_without": round(percentile(these) / percentile(without), 3),
        "from_to": [round(float(low), 3), round(float(high), 3)],
    }


def main(rounds: int = ROUNDS, rows: int = ROWS) -> int:
    found = measure(rows, rounds)
    results: dict[str, Any] = {"rows": rows, "rounds": rounds, "window_s": WINDOW_S, "most_times": MOST_TIMES}
    results["kinds"] = told(found)
    results["kept"] = results["kinds"][PROMISED]["p99_to_without"] <= MOST_TIMES
    print(json.dumps(results, indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if results["kept"] else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
