"""The notices of a journal that is still being written, for a dispatcher."""

from collections.abc import Callable, Sequence
from threading import Lock

from crossfade.journal.port import Entry, Journal
from crossfade.notify.notices import notices
from crossfade.notify.port import Notice

Feed = Callable[[int, int], Sequence[Notice]]


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
            first = self._entries[:1]  # names the migration, and tells nobody anything by itself
            self._entries.extend(new)
            self._notices.extend(notices([*first, *new]))


class FeedInTurn:
    """The feeds of journals that go on from one another: all that the earlier have comes before what the later have."""

    def __init__(self, feeds: Sequence[Feed]) -> None:
        self._feeds = tuple(feeds)

    def __call__(self, after: int, limit: int) -> Sequence[Notice]:
        return [notice for feed in self._feeds for notice in feed(after, limit)][:limit]
