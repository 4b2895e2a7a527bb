"""What a person sees in a terminal: one picture of the migration that keeps itself up to date."""

from contextlib import suppress
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from crossfade.cli.panels import Glyphs, arms, facts, heading, log, phases, share_bar
from crossfade.journal.port import Entry
from crossfade.model.events import MigrationPlanned
from crossfade.model.progress import Progress
from crossfade.report.telling import Narrator, Told, threshold

LOG_LINES = 8
# Everything above the log: heading, phases, share, the table of arms, six facts, a rule.
_FIXED_LINES = 14


class LiveView:
    """A `View` on a terminal, drawn four times a second from the newest progress, on standard error.

    It takes as many lines as the terminal leaves it, so that nothing scrolls and nothing flickers.
    """

    def __init__(self, console: Console | None = None, *, auto_refresh: bool = True) -> None:
        self._console = console or Console(stderr=True)
        self._narrator = Narrator()
        self._told: tuple[Told, ...] = ()
        self._progress: Progress | None = None
        self._migration = ""
        self._threshold: float | None = None
        self._began: datetime | None = None
        self._live = Live(
            get_renderable=self.picture,
            console=self._console,
            auto_refresh=auto_refresh,
            refresh_per_second=4,
            redirect_stdout=False,  # standard output belongs to the result
            vertical_overflow="crop",
        )
        self._open = True
        self._live.start()

    def show(self, progress: Progress) -> None:
        self._progress = progress

    def tell(self, entry: Entry) -> None:
        if self._began is None:
            self._began = entry.at
        if isinstance(entry.event, MigrationPlanned):
            self._migration, self._threshold = entry.event.plan.migration, threshold(entry.event.plan)
        told = self._narrator.hear(entry)
        if told is not None:
            self._told = (*self._told, told)[-LOG_LINES:]  # replaced, never changed: another thread draws

    def close(self) -> None:
        """Draws a last time and leaves the picture standing."""
        if self._open:
            self._open = False
            with suppress(OSError):  # the terminal has gone away
                self._live.stop()

    def picture(self) -> RenderableType:
        """The whole view, as wide as the console and no higher."""
        glyphs = Glyphs.of(self._console)
        told, progress = self._told, self._progress
        if progress is None:
            return Group(Text(f"{self._migration or 'Crossfade'}: starting"), *log(told, LOG_LINES, self._console))
        lines = max(2, min(LOG_LINES, self._console.height - _FIXED_LINES - 1 - bool(progress.warnings)))
        return Group(
            heading(self._migration, progress, self._began),
            phases(progress, glyphs),
            share_bar(progress, self._console.width, glyphs),
            arms(progress),
            facts(progress, self._threshold, self._console.width),
            *log(told, lines, self._console),
        )


def fits(console: Console) -> bool:
    """Whether a live view fits: a terminal that can move its cursor."""
    return console.is_terminal and not console.is_dumb_terminal
