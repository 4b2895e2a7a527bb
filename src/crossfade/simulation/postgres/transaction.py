"""A transaction of a modelled server: what it would change, and what it holds."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from crossfade.simulation.postgres.catalog import Catalog
from crossfade.simulation.postgres.locks import Lock
from crossfade.simulation.postgres.wal import Change, Commit, Key, Row


class Transaction:
    """Changes nothing that others see before it commits. `catalog` is as it would be with its own changes."""

    def __init__(self, *, pid: int, role: str, application: str, started: float, begun_at: int) -> None:
        self.pid, self.role, self.application = pid, role, application
        self.started, self.begun_at = started, begun_at
        self.changes: list[Change] = []
        self.staged: dict[str, Any] = {}
        self.keys: list[str] = []
        self.locks: list[Lock] = []
        self.on_visible: list[Callable[[int], None]] = []
        self.lock_timeout = 0.0
        self.commit: Commit | None = None
        self.replicated = False
        self.logs = False  # there is something to log, though no row of this side changes

    def stage(self, **fields: Any) -> None:
        self.staged.update(fields)

    def seen(self, catalog: Catalog) -> Catalog:
        return replace(catalog, **self.staged) if self.staged else catalog

    def change(self, table: str, key: Key, old: Row | None, new: Row | None) -> None:
        self.changes.append(Change(table, key, old, new))

    @property
    def writes(self) -> bool:
        return bool(self.changes or self.staged or self.logs)
