"""The users' own notes, written as things happen: every attempt, and everything that was acknowledged."""

import asyncio
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

REQUESTS = "requests.csv"
ACKNOWLEDGED = "acknowledged.jsonl"
SUMMARY = "summary.json"
COLUMNS = ("due", "started", "done", "kind", "status", "arm", "key", "attempt")

_FLUSH_SECONDS = 0.2
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request as its user saw it. Times are epoch seconds of one monotonic clock; latency runs from `due`.

    `status` 0: no answer. `key` is empty for reads. `attempt` counts from 1; later ones are due when they are retried.
    """

    due: float
    started: float
    done: float
    kind: str
    status: int
    arm: str
    key: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A write that the ledger said is done: it must never be lost. Amounts are decimal text.

    For a statement `document` is its place below the share's folder `statements`, and `checksum` its SHA-256.
    """

    key: str
    kind: str
    id: int
    at: float
    debit: int = 0
    credit: int = 0
    amount: str = ""
    document: str = ""
    checksum: str = ""


class Notes:
    """Both files grow by whole lines, at least four times a second. What a full disk refuses is kept for later."""

    def __init__(self, out: Path) -> None:
        """An earlier run's notes in `out` are continued. Raises OSError."""
        out.mkdir(parents=True, exist_ok=True)
        for name in (REQUESTS, ACKNOWLEDGED):
            _mend(out / name)
        fresh = not (out / REQUESTS).exists() or not (out / REQUESTS).stat().st_size
        self._files = {name: (out / name).open("ab", buffering=0) for name in (REQUESTS, ACKNOWLEDGED)}
        self._waiting = {REQUESTS: b"", ACKNOWLEDGED: b""}
        if fresh:
            self._waiting[REQUESTS] = (",".join(COLUMNS) + "\n").encode()
        self._lines: dict[str, list[str]] = {REQUESTS: [], ACKNOWLEDGED: []}

    def attempt(self, seen: Attempt) -> None:
        self._lines[REQUESTS].append(
            f"{seen.due:.6f},{seen.started:.6f},{seen.done:.6f},{seen.kind},{seen.status},{seen.arm},{seen.key},"
            f"{seen.attempt}\n"
        )

    def acknowledged(self, promised: Acknowledged) -> None:
        self._lines[ACKNOWLEDGED].append(json.dumps(asdict(promised)) + "\n")

    async def keep(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_SECONDS)
            self.flush()

    def flush(self) -> None:
        """Acknowledgements first: an attempt without one is harmless, the reverse looks like a gap."""
        for name in (ACKNOWLEDGED, REQUESTS):
            self._waiting[name] += "".join(self._lines[name]).encode()
            self._lines[name].clear()
            try:
                while self._waiting[name]:
                    written = self._files[name].write(self._waiting[name])
                    self._waiting[name] = self._waiting[name][written:]
            except OSError as exc:
                print(f"{name}: {exc.strerror}; trying again", file=sys.stderr, flush=True)  # noqa: T201 - its log

    def close(self) -> None:
        self.flush()
        for file in self._files.values():
            file.close()


def _mend(file: Path) -> None:
    """Cut off the half line that users leave who are killed while they write."""
    if not file.exists():
        return
    with file.open("r+b") as notes:
        size = notes.seek(0, os.SEEK_END)
        start = notes.seek(max(size - _LONGEST_LINE, 0))
        notes.truncate(start + notes.read().rfind(b"\n") + 1)
