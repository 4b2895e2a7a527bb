"""A few cells of the matrix, drawn anew each time; the engine killed at every point; errors that show only in bake."""

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.database.port import SWITCH_POINTS
from tests.rehearsal.run import Home, home_below
from tests.torture.cells import every_cell
from tests.torture.judged import FILE, carry_out
from tests.torture.trials import drawn, together, trial_of

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(1800)]

CELLS = 3
LIMIT_MS = 2_500.0  # a fence gives up after 2 s; nothing else was struck


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_below(tmp_path) as made:
        yield made


def test_it_ends_as_foretold_when_cells_of_the_matrix_are_drawn(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    seed = secrets.randbelow(2**31)
    trials = together(drawn(every_cell(), CELLS, seed), seed)
    with capsys.disabled():
        sys.stdout.write(f"\n  torture, seed {seed}: {'; '.join(' '.join(trial.faults) for trial in trials)}\n")
    for trial in trials:
        verdict = carry_out(trial, home)
        assert verdict.problems == (), f"python -m tests.torture --trial {' '.join(map(str, trial.cells))}"


def test_one_side_writes_and_the_window_grows_by_resuming_alone_when_the_engine_is_killed_at_every_point(
    home: Home,
) -> None:
    kills = [f"controller-kill@{way}:{point}" for way in ("cutover", "fail_back") for point in SWITCH_POINTS]
    verdict = carry_out(trial_of([*kills[len(SWITCH_POINTS) :], *kills[: len(SWITCH_POINTS)]]), home)
    assert (verdict.problems, verdict.missed) == ((), ())
    assert (verdict.outcome, verdict.resumes, len(verdict.write_unavailable_ms)) == ("failed_back", len(kills), 2)
    assert verdict.looks > 100


@pytest.mark.parametrize("round_trip", ["0ms", "20ms"])
def test_it_fails_back_and_loses_nothing_when_the_canary_errs_only_in_bake(
    home: Home, tmp_path: Path, round_trip: str
) -> None:
    file = tmp_path / "migration.yaml"
    file.write_text(f"{FILE.read_text(encoding='utf-8')}  wan_round_trip: {round_trip}\n", encoding="utf-8")
    ran = home.rehearse("--speed", "5", "--fault", "canary-errors=5%@bake", file=file)
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "failed_back", "source"), ran.said
    assert (ran.result["lost_writes"], ran.result["duplicate_writes"], ran.result["violations"]) == (0, 0, [])
    assert len(ran.result["write_unavailable_ms"]) == 2
    assert max(ran.result["write_unavailable_ms"]) < LIMIT_MS
