"""The matrix of faults and places on real parts: `make torture`, or `python -m tests.torture`.

    python -m tests.torture                       all that has not passed yet, three rehearsals at a time
    python -m tests.torture --sample 4            four cells, drawn anew each time; the seed is said
    python -m tests.torture --only 'slot-*@fail_back*'
    python -m tests.torture --table               what is foretold, as it stands in docs/reliability.md

A cell that has passed is not tried again until `--anew`; so a matrix that was interrupted goes on where it stood.
When a rehearsal of several cells does not end as foretold, each of its cells is tried alone; report and journal of
what failed are kept in .crossfade/torture.
"""
# ruff: noqa: T201 - a program that tells people how far it is

import argparse
import json
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from types import FrameType

import psutil

from tests.rehearsal.run import home_below
from tests.torture.cells import Cell, every_cell
from tests.torture.foretold import table
from tests.torture.judged import SPEED, carry_out
from tests.torture.matrix import Matrix
from tests.torture.trials import Trial, alone, drawn, trial_of

_RESULTS = Path(".crossfade") / "torture.jsonl"
_KEPT = Path(".crossfade") / "torture"


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, metavar="N", help="so many cells, each alone, drawn by the seed")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="cells such as 'controller-kill@cutover:*'")
    parser.add_argument("--seed", type=int, help="default: drawn")
    parser.add_argument("--at-once", type=int, default=3, metavar="N", help="so many rehearsals at a time")
    parser.add_argument("--speed", type=float, default=SPEED)
    parser.add_argument("--results", type=Path, default=_RESULTS, metavar="FILE", help="JSON lines; added to")
    parser.add_argument("--anew", action="store_true", help="forget what has passed")
    parser.add_argument("--table", action="store_true", help="show what is foretold, and end")
    parser.add_argument("--list", action="store_true", help="show the rehearsals, and end")
    parser.add_argument("--trial", nargs="+", help=argparse.SUPPRESS)
    given = parser.parse_args(words)
    if given.table:
        print(table(), end="")
        return 0
    seed = secrets.randbelow(2**31) if given.seed is None else given.seed
    if given.trial:
        return _carry_out(trial_of(given.trial), given.speed, seed)
    cells = [cell for cell in every_cell() if fnmatchcase(str(cell), given.only)]
    matrix = Matrix(given.results, speed=given.speed, seed=seed, at_once=given.at_once)
    trials = _of_sample(cells, given.sample, seed) if given.sample else matrix.trials(cells, anew=given.anew)
    if given.list:
        for trial in trials:
            print(*trial.faults, "→", *sorted(trial.ends))
    told = f"{sum(len(t.cells) for t in trials)} of {len(cells)} cells in {len(trials)} rehearsals"
    print(f"{told}, seed {seed}", flush=True)
    return 0 if given.list else matrix.carry_out(trials)


def _of_sample(cells: Sequence[Cell], count: int, seed: int) -> tuple[Trial, ...]:
    return tuple(map(alone, drawn(cells, count, seed)))


def _carry_out(trial: Trial, speed: float, seed: int) -> int:
    """One trial, in a process of its own: whatever it leaves running is its own. Its verdict is the last line.

    Asked to end, it asks its rehearsal, which ends in order.
    """
    signal.signal(signal.SIGTERM, _ask_to_end)
    with tempfile.TemporaryDirectory(prefix="torture-") as place, home_below(Path(place)) as home:
        verdict = carry_out(trial, home, speed=speed, seed=seed)
        kept = sorted(str(_KEPT / report.name) for report in home.reports.glob("*")) if verdict.problems else []
        if kept:
            shutil.copytree(home.reports, _KEPT, dirs_exist_ok=True)
        print(json.dumps(verdict.as_json() | {"kept": kept}), flush=True)
    return 1 if verdict.problems else 0


def _ask_to_end(_number: int, _frame: FrameType | None) -> None:
    for child in psutil.Process().children():
        child.terminate()


if __name__ == "__main__":
    sys.exit(main())
