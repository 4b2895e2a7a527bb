"""The comparison of a table while the primary takes writes and replication carries them to the other side."""

import time
from collections.abc import Sequence

from psycopg import sql

from crossfade.model.terms import Side
from crossfade.verify import chunks
from crossfade.verify.age import Ages
from crossfade.verify.outcome import TableOutcome, signatures, unlike
from crossfade.verify.replay import Replay, mark
from crossfade.verify.statement import NOTHING_TOLD, Key, Rows, RowState, Slice, TableStatements, Told

CHUNK_ROWS = 5_000
_RESIDUES_AT_ONCE = 16
_KEYS_AT_ONCE = 500
_ROUNDS = 12
_CLAIMS = 2  # rounds in a row that must agree before a difference is reported
_SAMPLED_KEYS = 20  # as few keys as this are read again and again while the other side replays
_FINISH_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.002

_IN_PROGRESS = sql.SQL("SELECT pg_snapshot_xip(pg_current_snapshot())::text")
_COMMITTING = sql.SQL("""
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event = 'SyncRep' AND backend_xid::text = ANY (%s)
""")


class LiveComparison:
    """Compares one table; never reports a difference that is only a change on its way.

    Each round reads the primary (S1), marks a flushed position, waits until the other side has replayed it, reads the
    other side (T) and the primary again (S2). T equal to a state of the primary seen since S1 passes. S1 and S2 the
    same in content and xmin and T different, in two rounds in a row, is a difference. All else is looked at again in
    smaller parts, and at last reported as unresolved. Source: docs/verification.md, 'Under live writes'.
    """

    def __init__(
        self,
        primary: TableStatements,
        replica: TableStatements,
        replay: Replay,
        *,
        ages: Ages | None = None,
        told: Told = NOTHING_TOLD,
    ) -> None:
        self._primary, self._replica, self._replay, self._told = primary, replica, replay, told
        self._ages = ages or Ages()
        self._outcome = TableOutcome(table=primary.table, ages=self._ages)

    def compare(self, part: Slice | None) -> TableOutcome:
        """Everything that differs in a part of an ordered table, or in the whole table (None).

        Raises `ReplayStalled`, `ReplicationNotFound`, `ServerUnreachable` and `StatementFailed`.
        """
        self._outcome = TableOutcome(table=self._primary.table, ages=self._ages)
        if part is not None:
            self._compare(part)
        else:
            self._compare_unordered()
        return self._outcome

    def _compare(self, part: Slice) -> None:
        before = self._primary.digest(part)
        self._outcome.rows += before.rows
        self._catch_up()
        there = self._replica.digest(part)
        if there != before and there != self._primary.digest(part):
            self._compare_keys(part)

    def _compare_unordered(self) -> None:
        modulus = chunks.residues_for(self._primary.table)
        before = self._primary.digests(Slice(), modulus)
        self._outcome.rows += sum(digest.rows for digest in before.values())
        self._catch_up()
        there = self._replica.digests(Slice(), modulus)
        doubtful = chunks.differing(before, there)
        if doubtful:
            still = chunks.differing(self._primary.digests(Slice(), modulus), there)
            doubtful = tuple(residue for residue in doubtful if residue in still)
        for residues in chunks.batches(doubtful, _RESIDUES_AT_ONCE):
            if self._outcome.full:
                return
            self._compare_keys(Slice(modulus=modulus, residues=tuple(residues)))

    def _compare_keys(self, part: Slice) -> None:
        here = self._primary.listing(part)
        self._catch_up()
        suspects = unlike(here, self._replica.listing(part))
        for keys in chunks.batches(suspects, _KEYS_AT_ONCE):
            if self._outcome.full:
                return
            self._settle(keys)

    def _settle(self, keys: Sequence[Key]) -> None:
        """Look at single rows until each has passed or differs for certain, or the rounds are used up."""
        claims = dict.fromkeys(keys, 0)  # rounds in a row in which the key looked different for certain
        for number in range(_ROUNDS):
            if not claims:
                return
            time.sleep(number * _LOOK_AGAIN_SECONDS)
            seen, there = self._round(list(claims))
            for key in list(claims):
                if _passes(key, seen, there):
                    del claims[key]
                else:
                    still = all(states.get(key) == seen[0].get(key) for states in seen)
                    claims[key] = claims[key] + 1 if still else 0
            for key in self._confirmed([key for key, rounds in claims.items() if rounds >= _CLAIMS], seen[0]):
                del claims[key]
                self._report(key, seen[0], there)
        for key in claims:
            self._outcome.add_unresolved(key)

    def _confirmed(self, keys: Sequence[Key], before: Rows) -> list[Key]:
        """Those of `keys` that are as `before` now that whatever could be on its way has become visible."""
        if not keys or not self._let_finish():
            return []
        now = self._primary.lookup(keys)
        return [key for key in keys if now.get(key) == before.get(key)]

    def _round(self, keys: Sequence[Key]) -> tuple[list[Rows], Rows]:
        """States of the primary from before the mark until after the other side was read, and the other side's."""
        seen = [self._primary.lookup(keys)]

        def sample() -> None:  # of a key that changes all the time, one of many states is the other side's
            if len(keys) <= _SAMPLED_KEYS:
                seen.append(self._primary.lookup(keys))

        self._replay.wait_replayed(mark(self._primary.session), sample)
        sample()
        there = self._replica.lookup(keys)
        seen.append(self._primary.lookup(keys))
        return seen, there

    def _let_finish(self) -> bool:
        """Wait for transactions that may be committed in the WAL, hence on the other side, but not yet visible here.

        False if one of them waits for a synchronous standby: then the primary may yet show what the other side has.
        """
        deadline = time.monotonic() + _FINISH_SECONDS
        running = self._in_progress()
        while running:
            running &= self._in_progress()
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_AGAIN_SECONDS)
        if not running:
            return True
        as_xid = [str(int(number) % (1 << 32)) for number in running]
        return bool(self._primary.session.row(_COMMITTING, (as_xid,))[0] == 0)

    def _in_progress(self) -> set[str]:
        return {row[0] for row in self._primary.session.rows(_IN_PROGRESS)}

    def _report(self, key: Key, primary: Rows, replica: Rows) -> None:
        here, there = primary.get(key, ()), replica.get(key, ())
        if self._told:
            here, there = self._with_values(self._primary, key, here), self._with_values(self._replica, key, there)
        source, target = (here, there) if self._primary.side is Side.SOURCE else (there, here)
        self._outcome.add_difference(key, source, target)

    def _with_values(self, side: TableStatements, key: Key, judged: tuple[RowState, ...]) -> tuple[RowState, ...]:
        now = side.lookup([key], self._told[side.side]).get(key, ())
        return now if now == judged else judged  # values of another version of the row would be told of this one

    def _catch_up(self) -> None:
        self._replay.wait_replayed(mark(self._primary.session), _nothing)


def _nothing() -> None:
    return


def _passes(key: Key, seen: Sequence[Rows], there: Rows) -> bool:
    return any(signatures(states.get(key)) == signatures(there.get(key)) for states in seen)
