"""Rows that are visible now."""

from collections.abc import Mapping
from typing import Any, Protocol

from crossfade.simulation.postgres.wal import Change, Key, Row


class Table(Protocol):
    """Rows by their primary key."""

    def get(self, key: Key) -> Row | None: ...

    def put(self, key: Key, row: Row | None) -> None:
        """None takes the row away."""
        ...

    def conflict(self, change: Change) -> str | None:
        """The unique index that keeps this insert out."""
        ...

    def content(self) -> Mapping[Key, Row]: ...


class Plain:
    """Any table without a second key."""

    def __init__(self, name: str) -> None:
        self._index = f"{name.split('.')[1]}_pkey"
        self.rows: dict[Any, Any] = {}

    def get(self, key: Key) -> Row | None:
        return self.rows.get(key)

    def put(self, key: Key, row: Row | None) -> None:
        if row is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = row

    def conflict(self, change: Change) -> str | None:
        return self._index if change.key in self.rows else None

    def content(self) -> Mapping[Key, Row]:
        return self.rows


class Entries(Plain):
    """The application's table: an id from a sequence, and an idempotency key that is unique too."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.keys: dict[str, int] = {}

    def put(self, key: Key, row: Row | None) -> None:
        old = self.rows.get(key)
        if old is not None:
            left = self.keys[old] - 1
            if left:
                self.keys[old] = left
            else:
                del self.keys[old]
        if row is not None:
            self.keys[row] = self.keys.get(row, 0) + 1
        super().put(key, row)

    def conflict(self, change: Change) -> str | None:
        return super().conflict(change) or ("entries_once" if change.new in self.keys else None)


class Beats:
    """crossfade.beat: for each origin its beats in their order, so that first, last and number are known at once."""

    def __init__(self) -> None:
        self.of: dict[str, dict[int, float]] = {}

    def get(self, key: Key) -> Row | None:
        origin, n = key
        return self.of.get(origin, {}).get(n)

    def put(self, key: Key, row: Row | None) -> None:
        origin, n = key
        chain = self.of.setdefault(origin, {})
        if row is None:
            chain.pop(n, None)
            return
        late = bool(chain) and n < next(reversed(chain))
        chain[n] = row
        if late:
            self.of[origin] = dict(sorted(chain.items()))

    def conflict(self, change: Change) -> str | None:
        return "beat_pkey" if self.get(change.key) is not None else None

    def content(self) -> Mapping[Key, Row]:
        return {(origin, n): at for origin, chain in self.of.items() for n, at in chain.items()}

    def newest(self, origin: str) -> int | None:
        chain = self.of.get(origin)
        return next(reversed(chain)) if chain else None

    def has_hole(self, origin: str) -> bool:
        chain = self.of.get(origin)
        return bool(chain and next(reversed(chain)) - next(iter(chain)) + 1 > len(chain))

    def oldest_after(self, origin: str, n: int) -> float | None:
        """When the first beat after `n` was written."""
        found = None
        for number, at in reversed(self.of.get(origin, {}).items()):
            if number <= n:
                break
            found = at
        return found
