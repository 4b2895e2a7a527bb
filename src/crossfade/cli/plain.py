"""What a person sees where there is no terminal: a line for each told event, and how things stand now and then."""

from datetime import datetime, timedelta, tzinfo
from typing import Protocol, TextIO

from crossfade.journal.port import Entry
from crossfade.model.progress import ArmRates, Progress
from crossfade.report.telling import Importance, Narrator
from crossfade.report.units import say_bytes, say_count, say_duration, say_milliseconds, say_percent

STATUS_EVERY = timedelta(seconds=5)
_MARKS = {Importance.DETAIL: " ", Importance.STEP: " ", Importance.MILESTONE: "*", Importance.PROBLEM: "!"}


class View(Protocol):
    """Shows one migration while it runs. No method raises because the reader has gone away."""

    def show(self, progress: Progress) -> None:
        """How things stand now."""
        ...

    def tell(self, entry: Entry) -> None:
        """What has happened; each entry once, in order."""
        ...

    def close(self) -> None:
        """Nothing more comes. Calling it again does nothing."""
        ...


class PlainView:
    """Timestamped lines on `stream`; times in `zone`, None being the computer's own."""

    def __init__(self, stream: TextIO, *, zone: tzinfo | None = None, every: timedelta = STATUS_EVERY) -> None:
        self._stream: TextIO | None = stream
        self._zone = zone
        self._every = every
        self._narrator = Narrator()
        self._shown: datetime | None = None

    def show(self, progress: Progress) -> None:
        if self._shown is None or progress.at - self._shown >= self._every:
            self._shown = progress.at
            self._write(progress.at, "-", status(progress))

    def tell(self, entry: Entry) -> None:
        told = self._narrator.hear(entry)
        if told is not None:
            self._write(told.at, _MARKS[told.importance], told.text)

    def close(self) -> None:
        self._stream = None

    def _write(self, at: datetime, mark: str, text: str) -> None:
        if self._stream is None:
            return
        line = f"{at.astimezone(self._zone):%H:%M:%S} {mark} {' '.join(text.split())}\n"
        try:
            encoding = self._stream.encoding or "utf-8"
            self._stream.write(line.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
        except (OSError, ValueError):  # a closed pipe must not stop a migration
            self._stream = None


def status(progress: Progress) -> str:
    """One line: phase, share, both arms, replication lag, writer, verdict, time left; what is not known is left out."""
    parts = [str(progress.phase or "starting")]
    if progress.course != "forward":
        parts.append(progress.course.replace("_", " "))
    if progress.held:
        parts.append("held")
    if progress.canary_percent is not None:
        parts.append(f"share {say_percent(progress.canary_percent)}")
    parts += [_arm("legacy", progress.baseline), _arm("modern", progress.canary), _lag(progress)]
    if progress.writer is not None:
        parts.append(f"writes to {progress.writer}")
    if progress.verdict is not None:
        parts.append(f"judge: {progress.verdict}")
    parts += [f"warning: {reason}" for reason in progress.warnings]
    if progress.time_left is not None:
        parts.append(f"about {say_duration(progress.time_left)} left")
    return ", ".join(part for part in parts if part)


def _arm(name: str, rates: ArmRates | None) -> str:
    if rates is None:
        return ""
    said = f"{name} {say_count(rates.requests_per_second)}/s, {say_percent(rates.error_rate * 100)} errors"
    return said if rates.p95_ms is None else f"{said}, p95 {say_milliseconds(rates.p95_ms)}"


def _lag(progress: Progress) -> str:
    if progress.lag is None and progress.lag_bytes is None:
        return ""
    said = [] if progress.lag is None else [say_duration(progress.lag)]
    said += [] if progress.lag_bytes is None else [say_bytes(progress.lag_bytes)]
    return f"replication lag {' / '.join(said)}"
