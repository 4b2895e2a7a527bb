"""What verification under live writes costs the writers, and which limits spare them: the 99th percentile of a write.

Run with `.venv/bin/python -m benchmarks.verify_limits [ROUNDS] [ROWS]`; about five minutes. Results go to
benchmarks/results/verify_limits.json. Servers and writers are those of benchmarks/under_writes.py; a write's time
counts from the moment that it was due. Without a verification, with one, and with one under each limit: a window of
some seconds each, in an order that is drawn anew in each round, so that whatever else the computer does meets all
alike. What is compared is the percentile over all windows of a kind, against that without; rounds are drawn again to
tell how sure the ratio is.
"""

import contextlib
import json
import multiprocessing
import random
import sys
import tempfile
import time
from dataclasses import replace
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
ROWS, ROUNDS = 2_000_000, 11
WINDOW_S, SETTLE_S = 4.0, 0.5
PERCENTILE = 99
MOST_TIMES = 1.10
DRAWS = 2_000
WITHOUT = "without"
KINDS: dict[str, tuple[LoadLimits, int] | None] = {
    "without, again": None,  # what chance alone makes of the ratio
    "no limit": (LoadLimits(), 5_000),
    "share 5 %, 1,000 rows": (LoadLimits(share=0.05), 1_000),
    "share 1 %, 1,000 rows": (LoadLimits(share=0.01), 1_000),
    "share 0.3 %, 1,000 rows": (LoadLimits(share=0.003), 1_000),
}
Window = tuple[float, float]


class Ended(Exception):
    """The window is over."""


def verifying(dsns: dict[Side, str], wire: Connection) -> None:
    """A process that verifies as it is told, over and over, until it is told something else; some kinds do nothing."""
    settings = VerifySettings(source=dsns[Side.SOURCE], target=dsns[Side.TARGET])
    compared = 0

    def progress(told: Progress) -> None:
        nonlocal compared
        compared = told.rows
        if wire.poll():
            raise Ended

    while (kind := wire.recv()) != "end":
        compared = 0
        if how := KINDS.get(kind):
            limits, rows = how
            with contextlib.suppress(Ended):
                while True:
                    examine(
                        replace(settings, limits=limits, live_chunk_rows=rows),
                        How(live=True, primary=Side.SOURCE, progress=progress),
                    )


def measure(rows: int, rounds: int) -> tuple[dict[str, list[Window]], list[Write]]:
    windows: dict[str, list[Window]] = {kind: [] for kind in (WITHOUT, *KINDS)}
    writes: list[Write] = []
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    with (
        tempfile.TemporaryDirectory(prefix="crossfade-verify-limits-") as folder,
        replicated(Path(folder), rows) as pair,
    ):
        verifier = context.Process(target=verifying, args=({side: pair.dsn(side) for side in Side}, theirs))
        verifier.start()
        with writing(pair, writes):
            for _ in range(rounds):
                for kind in random.sample(list(windows), len(windows)):
                    ours.send(kind)
                    time.sleep(SETTLE_S)  # what was before has ended by then
                    began = now()
                    time.sleep(WINDOW_S)
                    windows[kind].append((began, now()))
            ours.send("end")
            verifier.join(60)
    return windows, writes


def told(windows: dict[str, list[Window]], writes: list[Write]) -> dict[str, Any]:
    at = np.array([write.at for write in writes])
    took = np.array([write.milliseconds for write in writes])
    by_kind = {
        kind: [took[np.searchsorted(at, began) : np.searchsorted(at, ended)] for began, ended in of_kind]
        for kind, of_kind in windows.items()
    }
    figures: dict[str, Any] = {}
    for kind, of_kind in by_kind.items():
        figures[kind] = {
            "p50_ms": round(float(np.percentile(np.concatenate(of_kind), 50)), 3),
            "p99_ms": round(percentile(of_kind), 3),
            "writes_per_second": round(float(np.mean([reached(writes, *window) for window in windows[kind]]))),
        }
        if kind != WITHOUT:
            figures[kind] |= compared(by_kind[WITHOUT], of_kind)
    return figures


def percentile(windows: list[NDArray[np.float64]]) -> float:
    return float(np.percentile(np.concatenate(windows), PERCENTILE))


def compared(without: list[NDArray[np.float64]], these: list[NDArray[np.float64]]) -> dict[str, Any]:
    """The ratio of both percentiles, and where it lies in 95 of 100 drawings of as many rounds."""
    draw = random.Random(1)
    ratios = []
    for _ in range(DRAWS):
        drawn = draw.choices(range(len(these)), k=len(these))
        ratios.append(percentile([these[n] for n in drawn]) / percentile([without[n] for n in drawn]))
    low, high = np.percentile(ratios, [2.5, 97.5])
    return {
        "p99_to_without": round(percentile(these) / percentile(without), 3),
        "from_to": [round(float(low), 3), round(float(high), 3)],
    }


def main(rounds: int = ROUNDS, rows: int = ROWS) -> int:
    windows, writes = measure(rows, rounds)
    results: dict[str, Any] = {"rows": rows, "rounds": rounds, "window_s": WINDOW_S, "most_times": MOST_TIMES}
    results["kinds"] = told(windows, writes)
    results["kept"] = {
        kind: figures["p99_to_without"] <= MOST_TIMES for kind, figures in results["kinds"].items() if kind != WITHOUT
    }
    print(json.dumps(results, indent=1))
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0 if any(results["kept"].values()) else 1


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
