"""The comparison by itself; tests/rehearsal/ledger/test_end_to_end.py has it against real databases."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from crossfade.rehearsal.processes import free_ports
from crossfade.rehearsal.users.audit import (
    AuditImpossible,
    BookedStatement,
    BookedTransfer,
    LedgerAudit,
    audit,
    compare,
    once_it_answers,
)
from crossfade.rehearsal.users.notes import Acknowledged, Notes

PROMISE = Acknowledged(key="k1", kind="transfer", id=9, at=1.0, debit=2, credit=3, amount="12.30")
ROW = BookedTransfer(
    key="k1",
    id=9,
    debit=2,
    credit=3,
    amount=Decimal("12.3"),
    entries=2,
    debited=Decimal("-12.3"),
    credited=Decimal("12.3"),
)
PAPER_PROMISE = Acknowledged(key="k2", kind="statement", id=4, at=1.0, debit=2, document="2026/01/4.txt", checksum="aa")
PAPER = BookedStatement(key="k2", id=4, account=2, checksum="aa", documents=frozenset({"aa"}))


def test_is_clean_when_everything_is_as_promised() -> None:
    found = compare([PROMISE, PAPER_PROMISE], [ROW], [PAPER])
    assert found.clean
    assert found.acknowledged == 2


def test_is_clean_when_a_row_was_never_acknowledged() -> None:
    assert compare([PROMISE], [ROW, replace(ROW, key="k9", id=10)], []).clean


def test_counts_a_loss_when_the_row_is_missing() -> None:
    found = compare([PROMISE], [], [])
    assert (found.lost, found.clean, found.examples) == (1, False, ("k1",))


@pytest.mark.parametrize("rows", [[ROW, replace(ROW, id=10)], [replace(ROW, entries=4)]])
def test_counts_a_double_when_it_was_booked_twice(rows: list[BookedTransfer]) -> None:
    assert compare([PROMISE], rows, []).duplicated == 1


def test_counts_a_double_when_it_was_not_acknowledged_either() -> None:
    assert compare([], [ROW, replace(ROW, id=10)], []).duplicated == 1


@pytest.mark.parametrize(
    "row",
    [
        replace(ROW, amount=Decimal("12.31")),
        replace(ROW, debit=4),
        replace(ROW, credit=4),
        replace(ROW, id=10),
        replace(ROW, entries=1),
        replace(ROW, credited=Decimal(0)),
        replace(ROW, debited=Decimal("-1.23")),
    ],
)
def test_counts_a_wrong_amount_when_it_is_booked_otherwise(row: BookedTransfer) -> None:
    found = compare([PROMISE], [row], [])
    assert (found.lost, found.wrong_amounts) == (0, 1)


@pytest.mark.parametrize(
    ("papers", "lost", "wrong"),
    [
        ([], 1, 0),
        ([replace(PAPER, documents=frozenset())], 1, 0),
        ([replace(PAPER, documents=frozenset({"bb"}))], 0, 1),
        ([replace(PAPER, documents=frozenset({"bb", "aa"}))], 0, 0),
        ([replace(PAPER, checksum="bb")], 0, 1),
        ([replace(PAPER, account=7)], 0, 1),
    ],
)
def test_looks_at_the_document_when_a_statement_was_promised(
    papers: list[BookedStatement], lost: int, wrong: int
) -> None:
    found = compare([PAPER_PROMISE], [], papers)
    assert (found.lost, found.wrong_documents) == (lost, wrong)


def test_raises_when_the_database_does_not_answer(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.acknowledged(PROMISE)
    notes.close()
    dsn = f"host=127.0.0.1 port={free_ports(1)[0]} user=postgres password=geheim dbname=ledger"
    with pytest.raises(AuditImpossible) as impossible:
        audit(tmp_path, dsn)
    assert "geheim" not in str(impossible.value)


def test_the_ledger_is_counted_once_its_database_has_recovered() -> None:
    clean = LedgerAudit(acknowledged=3, lost=0, duplicated=0, wrong_amounts=0)
    answers: list[LedgerAudit | None] = [None, None, clean]

    def ask() -> LedgerAudit:
        if (answer := answers.pop(0)) is None:
            raise AuditImpossible(None)
        return answer

    assert once_it_answers(ask) is clean
    answers += [None, None]
    with pytest.raises(AuditImpossible):
        once_it_answers(ask, within=timedelta(seconds=-1))
    assert len(answers) == 1
