"""Who takes writes, asked of both databases again and again while a rehearsal runs, past the engine and the WAN."""

import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

_PAUSE_S = 0.02
_SANDWICH_S = 0.1
_TAKES_WRITES = (
    "SELECT coalesce(has_table_privilege('ledger_app', to_regclass('ledger.transfers'), 'INSERT'), false)"
    " AND NOT pg_is_in_recovery()"
)


class Witness:
    """`both` tells how often both sides were found open at one instant; `last`, who was open when last asked.

    Source open, target open, source still open a moment later: it was open all the while, as no switch there and back
    fits into a tenth of a second.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._lines: dict[str, psycopg.Connection[Any]] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.both = self.looks = 0
        self.last: tuple[str, ...] | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()
        for side in tuple(self._lines):
            self._hang_up(side)

    def _watch(self) -> None:
        ports: dict[str, int] = {}
        while not self._ended.wait(_PAUSE_S):
            ports = ports or self._ports()
            if ports:
                self._look(ports)

    def _ports(self) -> dict[str, int]:
        for path in self._home.glob("*/layout.json"):
            try:
                ports = json.loads(path.read_text())["ports"]
            except (OSError, ValueError):
                return {}
            return {side: ports[f"{side}_database"] for side in ("source", "target")}
        return {}

    def _look(self, ports: dict[str, int]) -> None:
        began = time.monotonic()
        source = self._takes_writes("source", ports)
        target = self._takes_writes("target", ports)
        if source is None and target is None:
            return
        self.looks += 1
        if source and target:
            again = self._takes_writes("source", ports)
            self.both += bool(again) and time.monotonic() - began < _SANDWICH_S
            source = again
        if source is not None and target is not None:
            self.last = tuple(side for side, takes in (("source", source), ("target", target)) if takes)

    def _takes_writes(self, side: str, ports: dict[str, int]) -> bool | None:
        """None while it does not answer."""
        try:
            if side not in self._lines:
                where = f"host=127.0.0.1 port={ports[side]} dbname=ledger user=postgres application_name=witness"
                self._lines[side] = psycopg.connect(f"{where} connect_timeout=2", autocommit=True)
            row = self._lines[side].execute(_TAKES_WRITES).fetchone()
        except psycopg.Error:
            self._hang_up(side)
            return None
        return bool(row and row[0])

    def _hang_up(self, side: str) -> None:
        line = self._lines.pop(side, None)
        if line is not None:
            line.close()
