"""Was every promise kept? The users' notes against the database that is primary at the end, and nobody else's word."""

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import psycopg

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.users.errands import Errand
from crossfade.rehearsal.users.notes import Acknowledged
from crossfade.rehearsal.users.record import read_acknowledged

_AT_ONCE = 5_000

_TRANSFERS = """
SELECT t.idempotency_key::text, t.id, t.debit_account, t.credit_account, t.amount, count(e.leg),
       coalesce(sum(e.amount) FILTER (WHERE e.account_id = t.debit_account), 0),
       coalesce(sum(e.amount) FILTER (WHERE e.account_id = t.credit_account), 0)
FROM ledger.transfers t LEFT JOIN ledger.entries e ON e.transfer_id = t.id
WHERE t.idempotency_key BETWEEN %s::uuid AND %s::uuid
GROUP BY t.id, t.idempotency_key, t.debit_account, t.credit_account, t.amount
"""
_STATEMENTS = (
    "SELECT idempotency_key::text, id, account_id, checksum FROM ledger.statements WHERE idempotency_key = ANY(%s)"
)
_BOOKS = """
SELECT (SELECT coalesce(sum(amount), 0) FROM ledger.entries),
       (SELECT count(*) FROM (SELECT t.id FROM ledger.transfers t LEFT JOIN ledger.entries e ON e.transfer_id = t.id
                              GROUP BY t.id HAVING count(e.leg) <> 2 OR sum(e.amount) <> 0) x),
       (SELECT count(*) FROM ledger.accounts a
        LEFT JOIN (SELECT account_id, sum(amount) AS moved FROM ledger.entries GROUP BY account_id) e
             ON e.account_id = a.id WHERE a.balance <> coalesce(e.moved, 0))
"""


_RECOVERS_WITHIN = timedelta(seconds=60)
_PAUSE_SECONDS = 0.2


class AuditImpossible(CrossfadeError):
    """The database could not be asked; nothing is known, which is not good news."""

    retryable = True
    remedy = "Start the database that is primary, then audit again."

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate
        super().__init__(f"the ledger could not be audited (SQLSTATE {sqlstate or 'none: no connection'})")


def once_it_answers(ask: Callable[[], "LedgerAudit"], *, within: timedelta = _RECOVERS_WITHIN) -> "LedgerAudit":
    """What `ask` says as soon as it can: a database that a fault has killed last of all may still be recovering.

    Raises `AuditImpossible` when it cannot for so long.
    """
    until = time.monotonic() + within.total_seconds()
    while True:
        try:
            return ask()
        except AuditImpossible:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE_SECONDS)  # PostgreSQL says nothing when its recovery ends: it is asked again


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedTransfer:
    """A transfer row with its entries: how many, and what they moved on the two accounts it names."""

    key: str
    id: int
    debit: int
    credit: int
    amount: Decimal
    entries: int
    debited: Decimal
    credited: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedStatement:
    """A statement's row. `documents`: SHA-256 of its document on each share that has it."""

    key: str
    id: int
    account: int
    checksum: str
    documents: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAudit:
    """Counts of acknowledged writes and of what became of them; all but the first should be 0.

    `lost`: no row, or for a statement no document. `duplicated`: more than one row or pair of entries under a key,
    whether it was acknowledged or not. `wrong_amounts`: booked otherwise than acknowledged. `unbalanced` counts
    transfers of the whole ledger without two entries that cancel out, and accounts whose balance is not the sum of
    their entries; `entries_sum` is the sum of all entries. `examples` names some keys, not amounts or accounts.
    """

    acknowledged: int
    lost: int
    duplicated: int
    wrong_amounts: int
    wrong_documents: int = 0
    unbalanced: int = 0
    entries_sum: Decimal = Decimal(0)
    examples: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        problems = (self.lost, self.duplicated, self.wrong_amounts, self.wrong_documents, self.unbalanced)
        return not any(problems) and self.entries_sum == 0


def compare(
    promised: Sequence[Acknowledged],
    transfers: Iterable[BookedTransfer],
    statements: Iterable[BookedStatement],
) -> LedgerAudit:
    """What was acknowledged against what is booked. Rows that nobody was told of (yet) are no fault."""
    by_key: dict[str, list[BookedTransfer]] = {}
    for transfer in transfers:
        by_key.setdefault(transfer.key, []).append(transfer)
    papers: dict[str, list[BookedStatement]] = {}
    for statement in statements:
        papers.setdefault(statement.key, []).append(statement)
    wanted = [p for p in promised if p.kind == Errand.TRANSFER]
    issues = [p for p in promised if p.kind == Errand.STATEMENT]
    lost = {p.key for p in wanted if p.key not in by_key}
    lost |= {p.key for p in issues if not any(paper.documents for paper in papers.get(p.key, ()))}
    duplicated = {key for key, rows in by_key.items() if len(rows) > 1 or rows[0].entries > 2}
    duplicated |= {key for key, rows in papers.items() if len(rows) > 1}
    wrong = {p.key for p in wanted if p.key in by_key and not any(_as_promised(p, row) for row in by_key[p.key])}
    forged = {p.key for p in issues if p.key not in lost and not any(_is_paper(p, row) for row in papers[p.key])}
    return LedgerAudit(
        acknowledged=len({p.key for p in promised}),
        lost=len(lost),
        duplicated=len(duplicated),
        wrong_amounts=len(wrong),
        wrong_documents=len(forged),
        examples=tuple(sorted(lost | duplicated | wrong | forged)[:20]),
    )


def audit(out: Path, dsn: str, *, shares: Sequence[Path] = ()) -> LedgerAudit:
    """The notes in `out` against the database at `dsn`, in one consistent and read-only look.

    `shares`: where the documents of acknowledged statements may lie; one share with the right document is enough.
    Without shares documents are not looked for. Raises RecordDamaged or AuditImpossible.
    """
    promised = read_acknowledged(out)
    issues = {p.key: p for p in promised if p.kind == Errand.STATEMENT}
    try:
        with psycopg.connect(dsn, connect_timeout=10) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            found = compare(promised, _transfers(connection, promised), _statements(connection, issues, shares))
            row = connection.execute(_BOOKS).fetchone()
    except psycopg.Error as exc:
        raise AuditImpossible(exc.sqlstate) from exc
    assert row is not None
    return LedgerAudit(
        acknowledged=found.acknowledged,
        lost=found.lost,
        duplicated=found.duplicated,
        wrong_amounts=found.wrong_amounts,
        wrong_documents=found.wrong_documents,
        unbalanced=row[1] + row[2],
        entries_sum=row[0],
        examples=found.examples,
    )


def _transfers(connection: psycopg.Connection, promised: Sequence[Acknowledged]) -> Iterator[BookedTransfer]:
    """All rows under the keys of these users' runs, whether they were acknowledged or not."""
    for run in sorted({promise.key[:8] for promise in promised}):
        bounds = (f"{run}-0000-0000-0000-000000000000", f"{run}-ffff-ffff-ffff-ffffffffffff")
        for key, number, debit, credit, amount, entries, debited, credited in connection.execute(_TRANSFERS, bounds):
            yield BookedTransfer(
                key=key,
                id=number,
                debit=debit,
                credit=credit,
                amount=amount,
                entries=entries,
                debited=debited,
                credited=credited,
            )


def _statements(
    connection: psycopg.Connection, issues: Mapping[str, Acknowledged], shares: Sequence[Path]
) -> Iterator[BookedStatement]:
    keys = sorted(issues)
    for start in range(0, len(keys), _AT_ONCE):
        for key, number, account, checksum in connection.execute(_STATEMENTS, (keys[start : start + _AT_ONCE],)):
            place = Path("statements") / issues[key].document
            found = (_digest(share / place) for share in shares)
            documents = frozenset(digest for digest in found if digest) if shares else frozenset({checksum})
            yield BookedStatement(key=key, id=number, account=account, checksum=checksum, documents=documents)


def _digest(file: Path) -> str:
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def _as_promised(promise: Acknowledged, row: BookedTransfer) -> bool:
    amount = Decimal(promise.amount)
    return (
        (row.id, row.debit, row.credit) == (promise.id, promise.debit, promise.credit)
        and (row.amount, row.debited, row.credited) == (amount, -amount, amount)
        and row.entries == 2
    )


def _is_paper(promise: Acknowledged, row: BookedStatement) -> bool:
    told = (row.id, row.account, row.checksum) == (promise.id, promise.debit, promise.checksum)
    return told and promise.checksum in row.documents
