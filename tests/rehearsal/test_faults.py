"""Which faults there are, where they strike, and when they end; the strikes themselves are made on paper here."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from crossfade.cli.application import app
from crossfade.database.port import SWITCH_POINTS
from crossfade.model import ends
from crossfade.model.entry import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import EndReached, Event, FailBackDecided, PhaseEntered, RollbackDecided
from crossfade.model.terms import Phase, Side
from crossfade.rehearsal.faults.catalogue import CATALOGUE, FaultKind, Unit
from crossfade.rehearsal.faults.grammar import Fault, FaultsInvalid, parse_faults
from crossfade.rehearsal.faults.injector import Injector, full_disks
from crossfade.rehearsal.faults.points import PointsHeard, at_points
from tests.rehearsal.run import SMALL

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHARES = (5.0, 25.0, 100.0)
PROMISED = {
    "canary-latency", "canary-errors", "common-errors", "controller-kill", "source-db-kill", "target-db-kill",
    "router-kill", "app-kill", "wan-latency", "wan-cut", "wrong-rows", "hot-table", "long-transaction", "disk-full",
    "slot-dropped", "wrong-answers", "shadow-hang",
}  # fmt: skip


class Refused(CrossfadeError):
    """Whoever should have been hit is away."""


class PaperStrikes:
    """Notes what would be brought about, and for which primary."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.refuse = False

    def begin(self, fault: Fault, primary: Side) -> None:
        if self.refuse:
            raise Refused("away")
        self.said.append(f"{fault.kind.name} begins, {primary}")

    def end(self, fault: Fault, primary: Side) -> None:
        self.said.append(f"{fault.kind.name} ends, {primary}")


def injector(*texts: str) -> tuple[Injector, PaperStrikes]:
    strikes = PaperStrikes()
    return Injector(parse_faults(texts, SHARES), strikes, now=lambda: NOW), strikes  # type: ignore[arg-type]


def entry(event: Event) -> Entry:
    return Entry(position=1, at=NOW, by="engine", event=event, hash="")


FAILED_BACK = FailBackDecided(cause="person", reason="")
AT_TARGET = EndReached(end=ends.WriterIs(side=Side.TARGET, epoch=1))


def test_every_kind_that_is_promised_is_in_the_catalogue() -> None:
    assert set(CATALOGUE) >= PROMISED


@pytest.mark.parametrize("kind", CATALOGUE.values(), ids=lambda kind: str(kind.name))
def test_each_kind_is_understood_as_the_catalogue_writes_it(kind: FaultKind) -> None:
    name, example = kind.name, kind.example
    place = "cutover" if not kind.phases or Phase.CUTOVER in kind.phases else str(kind.phases[0])
    (fault,) = parse_faults([f"{name}={example}@{place}" if example else f"{name}@{place}"], SHARES)
    assert fault.kind.name == name
    assert (fault.amount is not None) == (fault.kind.unit not in {None, Unit.WORD})


@pytest.mark.parametrize("point", SWITCH_POINTS)
@pytest.mark.parametrize(("word", "to"), [("cutover", Side.TARGET), ("fail_back", Side.SOURCE)])
def test_every_point_of_the_switch_there_and_back_is_a_place(word: str, to: Side, point: str) -> None:
    faults, _ = injector(f"router-kill@{word}:{point}")
    assert faults.points == {(to, point)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("canary-errors=1%@cutover:fenced", "cannot strike at a point"),
        ("controller-kill@bake:fenced", "belong to cutover, and to fail_back"),
        ("controller-kill@roll_back:fenced", "belong to cutover, and to fail_back"),
        ("controller-kill@cutover:fense", "neither a share nor a point"),
        ("controller-kill@nowhere", "roll_back, fail_back"),
        ("wrong-rows=1.5@canary", "whole number"),
        ("wrong-rows=3@bake", "strikes in replicate or validate or shadow or canary or cutover only"),
        ("wrong-rows=3%@canary", "write it like 3"),
        ("operator-pulls=away@canary", "one of rollback, hold, override"),
        ("slot-dropped=1@bake", "has no amount"),
        ("canary:25@canary", "write KIND"),
        ("controller-kill@canary:26", "the ladder has no share 26"),
        ("long-transactoin@bake", "did you mean long-transaction?"),
    ],
)
def test_it_is_said_what_is_wrong_when_a_fault_cannot_be(text: str, says: str) -> None:
    with pytest.raises(FaultsInvalid) as invalid:
        parse_faults([text, "router-kill@bake"], SHARES)
    assert len(invalid.value.problems) == 1
    assert says in str(invalid.value)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("router-kill@canary", PhaseEntered(phase=Phase.CANARY)),
        ("router-kill@canary:25", EndReached(end=ends.SharesAre(canary_percent=25.0))),
        ("router-kill@roll_back", RollbackDecided(cause="person", reason="")),
        ("router-kill@fail_back", FAILED_BACK),
    ],
)
def test_it_strikes_once_when_its_place_is_reached(text: str, event: Event) -> None:
    faults, strikes = injector(text)
    faults.hear(entry(PhaseEntered(phase=Phase.PREPARE)))
    assert strikes.said == []
    faults.hear(entry(event))
    faults.hear(entry(event))
    assert strikes.said == ["router-kill begins, source"]
    assert [struck.at for struck in faults.struck] == [NOW]


def test_rows_are_changed_in_replicate_when_all_of_them_are_copied() -> None:
    faults, strikes = injector("wrong-rows=3@replicate")
    faults.hear(entry(PhaseEntered(phase=Phase.REPLICATE)))
    faults.hear(entry(EndReached(end=ends.ReplicationStarted())))
    assert strikes.said == []
    faults.hear(entry(EndReached(end=ends.WayBackBuilt())))
    assert strikes.said == ["wrong-rows begins, source"]


def test_it_strikes_the_side_that_takes_writes_then() -> None:
    faults, strikes = injector("slot-dropped@fail_back", "disk-full@bake")
    faults.hear(entry(AT_TARGET))
    faults.hear(entry(PhaseEntered(phase=Phase.BAKE)))
    faults.hear(entry(FAILED_BACK))
    assert strikes.said == ["disk-full begins, target", "slot-dropped begins, target"]


def test_it_ends_when_its_phase_does_or_the_migration_turns_back() -> None:
    for event in (PhaseEntered(phase=Phase.CUTOVER), RollbackDecided(cause="judge", reason="")):
        faults, strikes = injector("canary-errors=5%@canary")
        faults.hear(entry(PhaseEntered(phase=Phase.CANARY)))
        faults.hear(entry(event))
        assert strikes.said == ["canary-errors begins, source", "canary-errors ends, source"]


def test_it_ends_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("crossfade.rehearsal.faults.injector.time", SimpleNamespace(monotonic=lambda: now[0]))
    faults, strikes = injector("long-transaction=5s@canary", "common-errors@canary", "operator-pulls=hold@canary")
    faults.hear(entry(PhaseEntered(phase=Phase.CANARY)))
    for seconds, ended in ((4.9, 0), (0.2, 2), (14.8, 2), (0.2, 3)):
        now[0] += seconds
        faults.tick()
        assert sum("ends" in said for said in strikes.said) == ended


def test_it_is_noted_and_never_ends_when_it_could_not_be_brought_about() -> None:
    faults, strikes = injector("long-transaction=1ms@canary", "wan-latency@canary")
    strikes.refuse = True
    faults.hear(entry(PhaseEntered(phase=Phase.CANARY)))
    faults.hear(entry(PhaseEntered(phase=Phase.CUTOVER)))
    faults.tick()
    assert (faults.struck, strikes.said) == ([], [])
    assert faults.not_struck() == ("long-transaction=1ms@canary: away", "wan-latency@canary: away")


def test_it_is_told_at_the_end_when_a_place_was_never_reached() -> None:
    faults, _ = injector("router-kill@fail_back:fenced", "app-kill@canary")
    faults.hear(entry(PhaseEntered(phase=Phase.CANARY)))
    assert faults.not_struck() == ("router-kill@fail_back:fenced: its place was not reached",)


def test_disks_are_made_fillable_only_where_they_will_be_full() -> None:
    def sides(text: str) -> set[Side]:
        return set(full_disks(parse_faults([text], SHARES)))

    assert sides("router-kill@bake") == set()
    assert sides("source-disk-full@bake") == {Side.SOURCE}
    assert sides("disk-full@bake") == set(Side), "the primary may be either by then"


# the engine and the conductor meet at a point


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[PointsHeard]:
    heard = PointsHeard(tmp_path)
    yield heard
    heard.close()


def run_to(folder: Path, point: str, went_on: threading.Event) -> threading.Thread:
    """An engine that comes to a point of the switch to the target."""
    at = at_points(folder, {(Side.TARGET, "fenced")})

    def go() -> None:
        at[Side.TARGET](point)
        went_on.set()

    engine = threading.Thread(target=go, daemon=True)
    engine.start()
    return engine


def test_the_engine_waits_at_its_point_until_the_faults_are_there(heard: PointsHeard, tmp_path: Path) -> None:
    went_on = threading.Event()
    engine = run_to(tmp_path, "fenced", went_on)
    at = heard.wait(180)
    assert at is not None
    faults, strikes = injector("source-db-kill@cutover:fenced", "app-kill@fail_back:fenced", "app-kill@cutover:locked")
    with at:
        faults.reached(at)
        assert strikes.said == ["source-db-kill begins, source"]
        assert not went_on.wait(0.05)
    engine.join(180)
    assert went_on.is_set()
    assert faults.points == {(Side.SOURCE, "fenced"), (Side.TARGET, "locked")}


def test_the_engine_goes_on_when_it_is_no_point_of_its_own_or_nobody_hears(heard: PointsHeard, tmp_path: Path) -> None:
    went_on = threading.Event()
    run_to(tmp_path, "locked", went_on).join(180)
    assert went_on.is_set()
    heard.close()
    (tmp_path / "points").unlink()
    went_on.clear()
    run_to(tmp_path, "fenced", went_on).join(180)
    assert went_on.is_set()


def test_the_switch_stays_fast_in_a_direction_without_points(tmp_path: Path) -> None:
    assert at_points(tmp_path, ()) == {}
    assert set(at_points(tmp_path, {(Side.SOURCE, "fenced")})) == {Side.SOURCE}


def test_nobody_is_met_when_an_engine_has_died_at_its_point(heard: PointsHeard, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(tmp_path / "points"))
    assert heard.wait(10) is None
    assert heard.wait(0) is None


def test_a_long_folder_is_no_hindrance(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    heard = PointsHeard(folder)
    went_on = threading.Event()
    engine = run_to(folder, "fenced", went_on)
    at = heard.wait(180)
    assert at is not None
    with at:
        assert (at.to, at.point) == (Side.TARGET, "fenced")
    engine.join(180)
    heard.close()


@pytest.mark.parametrize("fault", ["wrong-answers=1%@shadow", "shadow-hang=5s@shadow"])
def test_a_fault_of_the_shadow_is_refused_with_the_remedy_when_the_file_has_none(fault: str) -> None:
    refused = CliRunner().invoke(app, ["rehearse", str(SMALL), "--fault", fault], env={"COLUMNS": "200"})
    assert refused.exit_code == 2
    assert "shadow.enabled: true" in refused.stderr
