"""The notices of a journal that is still being written, for a dispatcher."""

from collections.abc import Callable, Sequence
from threading import Lock

from crossfade.journal.port import Entry, Journal
from crossfade.notify.notices import notices
from crossfade.notify.port import Notice


class JournalFeed:
    """Reads each entry once, whoever asks; may be asked from several threads.

    `open_journal` is called in the thread that asks first.
    """

    def __init__(self, open_journal: Callable[[], Journal]) -> None:
        self._open = open_journal
        self._journal: Journal | None = None
        self._entries: list[Entry] = []
        self._notices: list[Notice] = []
        self._lock = Lock()

    def __call__(self, after: int, limit: int) -> Sequence[Notice]:
        """The next notices with a position above `after`, at most `limit`."""
        with self._lock:
            self._catch_up()
            return [notice for notice in self._notices if notice.position > after][:limit]

    def _catch_up(self) -> None:
        if self._journal is None:
            self._journal = self._open()
        new = self._journal.read(after=len(self._entries))
        if new:
            first = self._entries[:1] or list(new[:1])  # names the migration
            known = self._entries[-1].position if self._entries else 0
            self._entries.extend(new)
            told = notices([*first, *new] if known else new)
            self._notices.extend(notice for notice in told if notice.position > known)
