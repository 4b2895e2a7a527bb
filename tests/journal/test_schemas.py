"""Entries of older schemas are read as they were meant, and newer ones are not."""

import json
from datetime import UTC, datetime

import pytest

from crossfade.journal import chain
from crossfade.journal.chain import GENESIS, SCHEMA, JournalDamaged, Row, seal, unseal
from crossfade.model.events import Earlier, MigrationPlanned
from crossfade.runbook.evolve import fold
from tests.engine.world import plan

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def stored(schema: int, *, without: str = "") -> Row:
    """A plan as an entry of `schema`, with a hash that fits."""
    planned = MigrationPlanned(plan=plan(), after=None if without else Earlier(entries=9, head="f" * 64, epoch=4))
    (row,) = seal([planned], after=0, previous=GENESIS, at=AT, by="ann")
    body = {key: value for key, value in json.loads(row.body).items() if key != without}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    digest = chain._digest(GENESIS, 1, row.at, row.by, schema, text)
    return Row(position=1, at=row.at, by=row.by, schema=schema, body=text, hash=digest)


def test_a_plan_of_schema_1_goes_after_no_other_journal() -> None:
    old = stored(1, without="after")
    assert '"after"' not in old.body
    (entry,) = unseal([old], after=0, previous=GENESIS)
    assert entry.event == MigrationPlanned(plan=plan())
    assert fold([entry]).epoch == 0


def test_a_plan_that_goes_on_from_another_journal_begins_with_its_epoch() -> None:
    (entry,) = unseal([stored(SCHEMA)], after=0, previous=GENESIS)
    state = fold([entry])
    assert (state.epoch, state.entries_before) == (4, 9)


def test_an_entry_of_a_newer_schema_is_not_read() -> None:
    with pytest.raises(JournalDamaged, match="newer Crossfade"):
        list(unseal([stored(SCHEMA + 1)], after=0, previous=GENESIS))
