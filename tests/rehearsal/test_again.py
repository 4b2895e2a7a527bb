"""A later cutover after a fail back: on all parts, and when it is refused."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crossfade.cli.application import app
from crossfade.journal.chain import JournalDamaged
from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import Event, MigrationEnded, MigrationPlanned
from crossfade.model.resolve import plan_for_rehearsal
from crossfade.model.terms import Outcome
from crossfade.rehearsal.conductor import Conductor, read_all
from crossfade.rehearsal.layout import Layout, lay_out, take_along
from crossfade.runbook.again import JournalsUntied, NotFailedBack, earlier
from tests.model.file.files import sound, with_values
from tests.rehearsal.run import SMALL, Home, home_below


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_below(tmp_path) as made:
        yield made


@pytest.mark.rehearsal
@pytest.mark.timeout(1800)
def test_it_completes_and_loses_nothing_over_the_whole_when_it_is_cut_over_again(home: Home) -> None:
    ran = home.rehearse("--speed", "3", "--fault", "canary-errors=50%@bake", "--again")
    assert "Failed back" in ran.said
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (0, "completed", "target"), ran.said
    assert ran.result["acknowledged_writes"] > 0
    assert (ran.result["lost_writes"], ran.result["duplicate_writes"], ran.result["differing_rows"]) == (0, 0, 0)
    assert ran.result["violations"] == []
    assert len(ran.result["write_unavailable_ms"]) == 3
    assert list(home.folder.iterdir()) == []
    kept = Path(ran.result["journal"]).parent
    for journal in ("journal.sqlite", "journal-2.sqlite"):
        assert home.run("audit", str(kept / journal)).code == 0
    assert ran.result["report"] == str(kept / "report-2.html")


@pytest.mark.rehearsal
@pytest.mark.timeout(1800)
def test_it_stays_for_a_later_cutover_by_a_command_when_it_was_to_be_kept(home: Home) -> None:
    ran = home.rehearse("--speed", "10", "--fault", "operator-pulls=rollback@cutover:opened", "--keep")
    assert (ran.code, ran.result["outcome"]) == (10, "failed_back"), ran.said
    name = home.the_only_id()
    assert f"crossfade again {name}" in ran.said
    resumed = home.run("again", name, "--json", "--report", str(home.reports))
    assert (resumed.code, resumed.result["outcome"]) == (0, "completed"), resumed.said
    assert resumed.result["acknowledged_writes"] > ran.result["acknowledged_writes"]
    assert (resumed.result["lost_writes"], resumed.result["duplicate_writes"]) == (0, 0)
    assert len(resumed.result["write_unavailable_ms"]) == 3
    assert list(home.folder.iterdir()) == []


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A rehearsal that lies there, with an empty journal."""
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path))
    layout = lay_out("small-1", ("a",), through_wan=False, speed=1.0, seed=1)
    take_along(layout, SMALL)
    layout.keep()
    return layout


def write(path: Path, *events: Event) -> None:
    with closing(SqliteJournal(path)) as journal:
        journal.append(events, expected=len(journal.read()), at=datetime.now(UTC), by="engine")


def ended(outcome: Outcome) -> MigrationEnded:
    return MigrationEnded(outcome=outcome, reason="so it was")


def planned(layout: Layout, *, tied: bool = True) -> MigrationPlanned:
    plan = plan_for_rehearsal(sound(with_values()), layout.migration, 1.0)
    after = earlier(read_all(layout.journals)) if layout.journals and tied else None
    return MigrationPlanned(plan=plan, after=after)


def refusal() -> tuple[BaseException | None, str]:
    ran = CliRunner().invoke(app, ["again", "small-1"])
    assert ran.exit_code != 0
    if not isinstance(ran.exception, CrossfadeError):
        return None, ran.output
    return ran.exception, f"{ran.exception} {ran.exception.remedy}"


def _running(layout: Layout) -> None:
    write(layout.journal, planned(layout))


def _completed(layout: Layout) -> None:
    write(layout.journal, planned(layout), ended(Outcome.COMPLETED))


def _begun(layout: Layout) -> None:
    write(layout.journal, planned(layout), ended(Outcome.FAILED_BACK))
    write(layout.next_journal, planned(layout))


def _untied(layout: Layout) -> None:
    write(layout.journal, planned(layout), ended(Outcome.FAILED_BACK))
    write(layout.next_journal, planned(layout, tied=False), ended(Outcome.FAILED_BACK))


def _changed(layout: Layout) -> None:
    write(layout.journal, planned(layout), ended(Outcome.FAILED_BACK))
    with closing(sqlite3.connect(layout.journal)) as file, file:
        file.execute("DROP TRIGGER entries_stay")
        file.execute("UPDATE entries SET by = 'somebody' WHERE position = 1")


@pytest.mark.parametrize(
    ("made", "error", "words"),
    [
        (_running, NotFailedBack, "crossfade resume small-1"),
        (_completed, NotFailedBack, "point of no return"),
        (_begun, NotFailedBack, "one has begun already"),
        (_untied, JournalsUntied, "copies that belong together"),
        (_changed, JournalDamaged, "does not hold at entry 1"),
    ],
)
def test_no_later_cutover_begins_when_the_journals_do_not_allow_it(
    kept: Layout, made: Callable[[Layout], None], error: type[CrossfadeError], words: str
) -> None:
    made(kept)
    before = kept.journals
    why, said = refusal()
    assert isinstance(why, error)
    assert words in said
    assert kept.journals == before


def test_a_second_journal_that_was_interrupted_before_its_first_entry_goes_on_from_the_first(kept: Layout) -> None:
    write(kept.journal, planned(kept), ended(Outcome.FAILED_BACK))
    kept.next_journal.touch()
    file = sound(with_values())
    conductor = Conductor(kept, file, plan_for_rehearsal(file, kept.migration, 1.0), ())
    try:
        conductor._plan_it()
    finally:
        conductor.close()
    first, second = read_all(kept.journals)
    assert isinstance(second[0].event, MigrationPlanned)
    assert second[0].event.after == earlier([first])


def test_a_persons_word_to_what_has_failed_back_is_answered_with_the_way_on(kept: Layout) -> None:
    write(kept.journal, planned(kept), ended(Outcome.FAILED_BACK))
    ran = CliRunner().invoke(app, ["hold", "small-1", "--reason", "wait"])
    assert isinstance(ran.exception, CrossfadeError)
    assert "crossfade again small-1" in ran.exception.remedy


def test_journals_are_found_in_their_order_when_later_cutovers_were_begun(kept: Layout) -> None:
    assert kept.journal.name == "journal.sqlite"
    for _ in range(11):
        kept.next_journal.touch()
    assert [path.name for path in kept.journals][1:3] == ["journal-2.sqlite", "journal-3.sqlite"]
    assert kept.journal.name == "journal-11.sqlite"
