"""A whole rehearsal whose way back dies in the bake, though both databases are there."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from crossfade.journal.sqlite import SqliteJournal
from crossfade.model.events import FailBackDecided, PhaseEntered
from crossfade.model.terms import Phase
from crossfade.rehearsal.layout import read_layout_in
from crossfade.rehearsal.ledger.database import DATABASE
from tests.rehearsal.run import SMALL, Home, home_below
from tests.waiting import wait_for

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(1800)]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_below(tmp_path) as made:
        yield made


def test_it_fails_back_and_loses_nothing_when_somebody_has_put_the_way_back_to_sleep(
    home: Home, tmp_path: Path
) -> None:
    file = tmp_path / "impatient.yaml"
    small = SMALL.read_text(encoding="utf-8")
    file.write_text(
        small.replace("bake: {duration: 3m}", "bake: {duration: 24h, max_way_back_lag: 2s}"), encoding="utf-8"
    )
    process = home.begin("rehearse", str(file), "--json", "--report", str(home.reports), "--speed", "2")
    layout = read_layout_in(home.folder / home.the_only_id())
    journal = SqliteJournal(layout.journal, must_exist=True)
    wait_for(lambda: any(entry.event == PhaseEntered(phase=Phase.BAKE) for entry in journal.read()))
    source = f"host=127.0.0.1 port={layout.ports.source_database} user=postgres dbname={DATABASE}"
    with psycopg.connect(source, autocommit=True) as connection:
        connection.execute("ALTER SUBSCRIPTION crossfade_from_target DISABLE")
    ran = home.finish(process)
    assert (ran.code, ran.result["outcome"], ran.result["final_primary"]) == (10, "failed_back", "source"), ran.said
    assert (ran.result["lost_writes"], ran.result["duplicate_writes"], ran.result["differing_rows"]) == (0, 0, 0)
    assert [e.event.cause for e in journal.read() if isinstance(e.event, FailBackDecided)] == ["way_back"]
    assert ran.result["violations"] == []
    journal.close()
