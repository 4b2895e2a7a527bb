"""Entries of older schemas are read as they were meant, and newer ones are not."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from crossfade.journal import chain
from crossfade.journal.chain import GENESIS, SCHEMA, JournalDamaged, Row, seal, unseal
from crossfade.model.counts import ArmCounts, ArmReading, Counted
from crossfade.model.events import CountingStarted, Earlier, Looked, MigrationPlanned
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


def test_a_look_of_schema_2_counted_nothing_but_requests_errors_and_latencies() -> None:
    arm = ArmCounts(requests=10, errors=1)
    looked = Looked(
        step=1,
        share=0.05,
        duration=timedelta(seconds=30),
        baseline=arm,
        canary=arm,
        reading=ArmReading(boot="1", baseline=arm, canary=arm),
        verdict="hold",
        metric=None,
        e_value=1.0,
        reason="not enough",
    )
    (row,) = seal([looked], after=0, previous=GENESIS, at=AT, by="engine")
    body = json.loads(row.body)
    del body["reading"]["until"]
    for counts in (body["baseline"], body["canary"], body["reading"]["baseline"], body["reading"]["canary"]):
        del counts["conversions"], counts["counted"]
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    old = Row(
        position=1, at=row.at, by=row.by, schema=2, body=text, hash=chain._digest(GENESIS, 1, row.at, row.by, 2, text)
    )
    (entry,) = unseal([old], after=0, previous=GENESIS)
    assert entry.event == looked


def test_a_look_keeps_what_was_counted_and_until_when() -> None:
    arm = ArmCounts(requests=10, errors=1, conversions=4, counted=(Counted(name="transfers", good=3, total=5),))
    reading = ArmReading(boot="1", baseline=arm, canary=arm, until=AT)
    (row,) = seal([CountingStarted(reading=reading)], after=0, previous=GENESIS, at=AT, by="engine")
    (entry,) = unseal([row], after=0, previous=GENESIS)
    assert entry.event == CountingStarted(reading=reading)


def test_an_entry_of_a_newer_schema_is_not_read() -> None:
    with pytest.raises(JournalDamaged, match="newer Crossfade"):
        list(unseal([stored(SCHEMA + 1)], after=0, previous=GENESIS))
