"""Whole rehearsals on real parts, by the command line."""

import signal
import socket
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from crossfade.journal.sqlite import SqliteJournal
from crossfade.model import ends
from crossfade.model.events import EndReached, EndWanted, GatePassed, RollbackDecided
from crossfade.model.terms import Suite
from tests.rehearsal.run import SMALL, Home, Ran, at_share, home_below, in_canary, interrupt

AT_ONCE = SMALL.with_name("blue-green.yaml")
OWN_LADDER = "{stops: [20, 40, 60, 80], bake: 2m, long_bake: 2m}"

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(1800)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """Nothing may be running or lying about afterwards but what a test says."""
    with home_below(tmp_path) as made:
        yield made


def assert_nothing_lost(ran: Ran) -> None:
    assert ran.result["acknowledged_writes"] > 0
    assert (ran.result["lost_writes"], ran.result["duplicate_writes"]) == (0, 0), ran.said
    assert ran.result["differing_rows"] == 0


def shares_reached(ran: Ran) -> list[tuple[datetime, float]]:
    journal = SqliteJournal(Path(ran.result["journal"]), read_only=True).read()
    reached = [(entry.at, entry.event.end) for entry in journal if isinstance(entry.event, EndReached)]
    return [(at, end.canary_percent) for at, end in reached if isinstance(end, ends.SharesAre)]


def assert_brought_back_at_once(ran: Ran) -> None:
    """Nobody was sent to a modern server after the router had said that it leads nobody there."""
    journal = SqliteJournal(Path(ran.result["journal"]), read_only=True).read()
    (decided,) = (entry for entry in journal if isinstance(entry.event, RollbackDecided))
    back = next(at for at, share in shares_reached(ran) if at >= decided.at and share == 0)
    assert ran.result["rollback_ms"] <= 250
    assert ran.result["rollback_ms"] <= (back - decided.at).total_seconds() * 1000 + 1


def test_a_migration_completes_and_loses_nothing_when_all_is_well(home: Home) -> None:
    ran = home.rehearse()
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (0, "completed", "target"), ran.said
    assert_nothing_lost(ran)
    assert ran.result["failed_requests"] == 0
    assert len(ran.result["write_unavailable_ms"]) == 1
    assert ran.result["verified_rows"] > 5000
    assert Path(ran.result["report"]).stat().st_size > 10_000
    assert list(home.folder.iterdir()) == []
    shares = [share for _, share in shares_reached(ran)]
    assert shares == [20.0, 40.0, 60.0, 80.0, 90.0, 100.0, 100.0]  # set once more when all is done
    audited = home.run("audit", ran.result["journal"], "--json")
    assert (audited.code, audited.result["intact"]) == (0, True)


def test_it_rolls_back_and_leaves_the_source_as_before_when_the_canary_fails(home: Home) -> None:
    ran = home.rehearse("--fault", "canary-errors=10%@canary:20")
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "rolled_back", "source"), ran.said
    assert_nothing_lost(ran)
    assert ran.result["detection_requests"] > 0
    assert_brought_back_at_once(ran)


def test_everybody_is_brought_back_without_loss_when_a_blue_green_move_goes_wrong_under_watch(home: Home) -> None:
    ran = home.rehearse("--fault", "canary-errors=20%@canary:100", file=AT_ONCE)
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "rolled_back", "source"), ran.said
    assert_nothing_lost(ran)
    said = [entry.event for entry in SqliteJournal(Path(ran.result["journal"]), read_only=True).read()]
    moved = EndWanted(end=ends.SharesAre(canary_percent=100.0))
    gates = [event.gate for event in said[: said.index(moved)] if isinstance(event, GatePassed)]
    assert gates[-2:] == ["previewed", "approved:100"]
    checks = EndWanted(end=ends.ChecksPassed(suite=Suite.TARGET))
    assert said[: said.index(moved)].count(checks) >= 3
    turned = [event for event in said if isinstance(event, RollbackDecided)]
    # Users and the repeated checks meet the same errors: whichever shows enough of them first brings everybody back.
    assert [event.cause == "guard" or event.facts.get("end") == checks.end.kind for event in turned] == [True]
    assert_brought_back_at_once(ran)


def test_it_climbs_the_default_ladder_to_its_end_when_both_arms_make_errors(home: Home, tmp_path: Path) -> None:
    """5, then 10 at a time; a long bake at 90; then all."""
    small = SMALL.read_text(encoding="utf-8").replace("requests_per_second: 100", "requests_per_second: 200")
    file = tmp_path / "default-ladder.yaml"
    file.write_text(small.replace(OWN_LADDER, "{bake: 1m, long_bake: 4m}"), encoding="utf-8")
    ran = home.rehearse("--fault", "common-errors=5%@canary:45", file=file)
    assert (ran.code, ran.result["outcome"]) == (0, "completed"), ran.said
    assert ran.result["failed_requests"] > 0
    assert_nothing_lost(ran)
    visited = {share: at for at, share in reversed(shares_reached(ran))}
    assert sorted(visited) == [5.0, 15.0, 25.0, 35.0, 45.0, 55.0, 65.0, 75.0, 85.0, 90.0, 100.0]
    assert [share for share, _ in sorted(visited.items(), key=lambda item: item[1])] == sorted(visited)
    assert (visited[100.0] - visited[90.0]).total_seconds() >= 4  # four minutes at sixty times the speed


def test_it_resumes_by_itself_when_the_engine_is_killed_in_every_phase(home: Home) -> None:
    phases = ("prepare", "replicate", "validate", "shadow", "canary", "cutover", "bake", "finalize")
    ran = home.rehearse(*(word for phase in phases for word in ("--fault", f"controller-kill@{phase}")))
    assert (ran.code, ran.result["outcome"]) == (0, "completed"), ran.said
    assert_nothing_lost(ran)
    assert ran.result["resumes"] >= 4  # prepare to shadow may pass within one look


def test_it_goes_on_where_it_was_when_resumed_after_ctrl_c(home: Home) -> None:
    process = home.begin_rehearsal()
    home.wait_for(at_share(40), process)
    interrupt(process)
    stopped = home.finish(process)
    name = home.the_only_id()
    assert f"crossfade resume {name}" in stopped.said
    assert "Traceback" not in stopped.said
    assert stopped.code == 130
    assert not home.left()
    resumed = home.run("resume", name, "--json", "--report", str(home.reports))
    assert (resumed.code, resumed.result["outcome"]) == (0, "completed"), resumed.said
    assert_nothing_lost(resumed)


def test_nothing_keeps_running_when_the_rehearsal_itself_is_killed(home: Home) -> None:
    process = home.begin_rehearsal()
    home.wait_for(in_canary, process)
    process.send_signal(signal.SIGKILL)
    home.finish(process)
    assert not home.await_orphans()
    name = home.the_only_id()
    resumed = home.run("resume", name, "--json", "--report", str(home.reports))
    assert (resumed.code, resumed.result["outcome"]) == (0, "completed"), resumed.said
    assert_nothing_lost(resumed)


def test_a_persons_words_are_taken_from_another_terminal_while_it_runs(home: Home) -> None:
    process = home.begin_rehearsal("--speed", "0.3")  # canary lasts longer than it takes to say them
    home.wait_for(in_canary, process)
    name = home.the_only_id()
    assert home.run("hold", name, "--reason", "a look").code == 0
    assert home.run("resume", name).code == 1  # one conductor at a time
    assert home.run("release", name, "--reason", "seen").code == 0
    assert home.run("override", name, "--for", "1m", "--reason", "known").code == 0
    assert home.run("rollback", name, "--reason", "enough").code == 0
    ran = home.finish(process)
    assert (ran.code, ran.result["outcome"]) == (10, "rolled_back"), ran.said
    assert_nothing_lost(ran)
    assert_brought_back_at_once(ran)


def test_the_way_on_is_told_when_a_port_is_taken_before_a_resume(home: Home) -> None:
    process = home.begin_rehearsal()
    home.wait_for(in_canary, process)
    interrupt(process)
    home.finish(process)
    name = home.the_only_id()
    layout = (home.folder / name / "layout.json").read_text(encoding="utf-8")
    port = int(layout.split('"source_database": ')[1].split(",")[0])
    with socket.create_server(("127.0.0.1", port)):
        refused = home.run("resume", name, "--json")
    assert refused.code == 1
    assert str(port) in refused.said
    assert "Traceback" not in refused.said
