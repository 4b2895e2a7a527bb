"""One migration as one HTML file that stands for itself: no request leaves it, and no script runs in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from crossfade.durable import replace
from crossfade.journal.port import Entry
from crossfade.model.errors import CrossfadeError
from crossfade.model.progress import Progress
from crossfade.report.answers import compared_answers
from crossfade.report.figures import charts, frame_of
from crossfade.report.plan_words import plan_in_words
from crossfade.report.series import ArmSecond, WriteWindow
from crossfade.report.summary import summarize
from crossfade.report.switches import switches
from crossfade.report.timeline import chapters
from crossfade.report.units import say_utc


class NothingToReport(CrossfadeError):
    """The journal is empty."""

    remedy = "Start the migration first; its journal begins with the plan."

    def __init__(self) -> None:
        super().__init__("there is nothing to report: the journal has no entries")


class ReportNotWritten(CrossfadeError):
    """The operating system refused; a report that was there before stays as it was."""

    retryable = True
    remedy = "Make room on the disk or name another folder; nothing else is lost, and the report can be written again."

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"the report {path.name} cannot be written: {why}")


def write_report(
    path: Path,
    *,
    entries: Sequence[Entry],
    progress: Sequence[Progress],
    result: Mapping[str, object],
    seconds: Sequence[ArmSecond],
    windows: Sequence[WriteWindow],
) -> None:
    """Write the report to `path`; its folder is made. The same input gives the same bytes.

    Raises `NothingToReport` without entries and `ReportNotWritten` when the file cannot be written.
    """
    page = render(entries=entries, progress=progress, result=result, seconds=seconds, windows=windows)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        replace(path, page.encode())
    except OSError as fault:
        raise ReportNotWritten(path, fault.strerror or str(fault)) from fault


def render(
    *,
    entries: Sequence[Entry],
    progress: Sequence[Progress],
    result: Mapping[str, object],
    seconds: Sequence[ArmSecond],
    windows: Sequence[WriteWindow],
) -> str:
    """The report's HTML. Raises `NothingToReport` without entries."""
    if not entries:
        raise NothingToReport
    frame = frame_of(entries)
    template = _environment().get_template("report.html.j2")
    return template.render(
        summary=summarize(entries, result),
        frame=frame,
        charts=charts(entries, progress, seconds, frame),
        answers=compared_answers(entries),
        switches=switches(windows),
        chapters=chapters(entries),
        plan=plan_in_words(entries),
        began=say_utc(entries[0].at),
        ended=say_utc(entries[-1].at),
        entries=len(entries),
        last_hash=entries[-1].hash,
    )


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("crossfade.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
