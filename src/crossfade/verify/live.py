"""The comparison of a table while the primary takes writes and replication carries them to the other side."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from psycopg import sql

from crossfade.model.terms import Side
from crossfade.verify import chunks
from crossfade.verify.age import Ages
from crossfade.verify.outcome import TableOutcome, signatures, unlike
from crossfade.verify.replay import Replay, mark
from crossfade.verify.statement import NOTHING_TOLD, Digest, Key, Rows, RowState, Slice, TableStatements, Told

CHUNK_ROWS = 5_000
_RESIDUES_AT_ONCE = 16
_RESIDUES_IN_PART = 64
_ROWS_TO_LIST = 200  # so few are listed at once: cutting them further would cost more
_KEYS_AT_ONCE = 500
_LOOKS = 12
_FEWEST_LOOKS = 4  # at a key however short the time for it is: a difference needs two of them, and may lose one
_CLAIMS = 2  # looks in a row that must agree before a difference is reported
_SAMPLED_KEYS = 20  # as few keys as this are read again and again while the other side replays
_FINISH_SECONDS = 1.0
_LOOK_AGAIN_SECONDS = 0.002
_LONGEST_PAUSE_SECONDS = 0.05

_IN_PROGRESS = sql.SQL("SELECT pg_snapshot_xip(pg_current_snapshot())::text")
_COMMITTING = sql.SQL("""
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event = 'SyncRep' AND backend_xid::text = ANY (%s)
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """How long what is in doubt is looked at.

    `rounds` are those of ever smaller parts, the chunk itself being the first; then single keys are looked at, each for
    `key_attempts` (None: twelve looks) before it counts as unresolved.
    """

    rounds: int = 4
    key_attempts: timedelta | None = None


TWELVE_LOOKS = Settling()


class LiveComparison:
    """Compares one table; never reports a difference that is only a change on its way.

    Each round reads the primary (S1), marks a flushed position, waits until the other side has replayed it, reads the
    other side (T) and the primary again (S2). T equal to a state of the primary seen since S1 passes. S1 and S2 the
    same in content and xmin and T different, in two looks in a row, is a difference. All else is looked at again in
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
        settling: Settling = TWELVE_LOOKS,
    ) -> None:
        self._rounds, self._key_attempts = settling.rounds, settling.key_attempts
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
            self._outcome.doubtful = True
            self._narrow(part, before.rows, self._rounds - 1)

    def _compare_unordered(self) -> None:
        before = self._compare_residues(Slice(), chunks.residues_for(self._primary.table), self._rounds - 1)
        self._outcome.rows += sum(digest.rows for digest in before.values())

    def _narrow(self, part: Slice, rows: int, rounds: int) -> None:
        """A part in doubt: once more in smaller ones while rounds are left, else row by row."""
        if rounds > 0 and rows > _ROWS_TO_LIST:
            self._compare_residues(part, part.modulus * _RESIDUES_IN_PART, rounds - 1)
        else:
            self._compare_keys(part)

    def _compare_residues(self, part: Slice, modulus: int, rounds: int) -> dict[int, Digest]:
        """What the primary held at first, by residue."""
        before = self._primary.digests(part, modulus)
        self._catch_up()
        there = self._replica.digests(part, modulus)
        doubtful = chunks.differing(before, there)
        if doubtful:
            still = chunks.differing(self._primary.digests(part, modulus), there)
            doubtful = tuple(residue for residue in doubtful if residue in still)
        for residues in chunks.batches(doubtful, _RESIDUES_AT_ONCE):
            if self._outcome.full:
                break
            rows = sum(before[residue].rows for residue in residues if residue in before)
            self._narrow(replace(part, modulus=modulus, residues=tuple(residues)), rows, rounds)
        return before

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
        claims = dict.fromkeys(keys, 0)  # looks in a row in which the key looked different for certain
        for _ in self._looks():
            if not claims:
                return
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

    def _looks(self) -> Iterator[None]:
        """One for each look at the same keys, with ever longer pauses between them."""
        began = time.monotonic()
        for number in count():
            if self._key_attempts is None:
                enough = number >= _LOOKS
            else:
                late = time.monotonic() - began >= self._key_attempts.total_seconds()
                enough = late and number >= _FEWEST_LOOKS
            if enough:
                return
            time.sleep(min(number * _LOOK_AGAIN_SECONDS, _LONGEST_PAUSE_SECONDS))  # what is on its way arrives
            yield

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
        began = time.monotonic()
        self._replay.wait_replayed(mark(self._primary.session), _nothing)
        self._outcome.waited_seconds += time.monotonic() - began


def _nothing() -> None:
    return


def _passes(key: Key, seen: Sequence[Rows], there: Rows) -> bool:
    return any(signatures(states.get(key)) == signatures(there.get(key)) for states in seen)
