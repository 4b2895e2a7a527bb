"""The schedule as a calendar file that calendar programs open. Source: RFC 5545, sections 3.1, 3.3.11 and 3.6.1."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from uuid import NAMESPACE_URL, uuid5

from crossfade.model.terms import Phase
from crossfade.planning.schedule.records import Schedule, Stage, WaveSchedule

_MOST_OCTETS = 75
_SHOWN = (Phase.REPLICATE, Phase.CANARY, Phase.BAKE, Phase.FINALIZE)


def as_calendar(schedule: Schedule, *, name: str, on: date) -> bytes:
    """Four entries a wave: copying, the change itself (traffic shift and cutover), the bake, the point of no return.

    Times are UTC. `on`, the day of the plan, is the stamp of all, so the same plan gives the same bytes. An entry of
    the same plan, wave and phase keeps its identity, so that a later plan moves it instead of adding another.
    """
    stamp = f"{on:%Y%m%d}T000000Z"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Crossfade//plan//EN", "CALSCALE:GREGORIAN"]
    lines.append(f"X-WR-CALNAME:{_text(name)}")
    for wave in schedule.waves:
        for stage in wave.stages:
            if stage.phase in _SHOWN:
                lines += _event(wave, stage, name, stamp)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line)).encode()


def _event(wave: WaveSchedule, stage: Stage, name: str, stamp: str) -> Iterator[str]:
    ends, says = stage.ends, stage.says
    cutover = wave.stage(Phase.CUTOVER)
    if stage.phase is Phase.CANARY and cutover is not None:
        ends, says = cutover.ends, f"{stage.says}\n{cutover.says}"
        if wave.window is not None:
            says += f"\nThe change window closes {wave.window.closes:%Y-%m-%d %H:%M} UTC."
    what = {
        Phase.REPLICATE: "copying",
        Phase.CANARY: "traffic shift and cutover",
        Phase.BAKE: "bake",
        Phase.FINALIZE: "finalize: point of no return",
    }[stage.phase]
    yield "BEGIN:VEVENT"
    yield f"UID:{uuid5(NAMESPACE_URL, f'crossfade:{name}:{wave.wave}:{stage.phase}')}"
    yield f"DTSTAMP:{stamp}"
    yield f"DTSTART:{_utc(stage.begins)}"
    yield f"DTEND:{_utc(max(ends, stage.begins))}"
    yield f"SUMMARY:{_text(f'{name}, wave {wave.wave}: {what}')}"
    yield f"DESCRIPTION:{_text(says + chr(10) + ', '.join(wave.applications))}"
    yield "TRANSP:TRANSPARENT" if stage.phase in {Phase.REPLICATE, Phase.BAKE} else "TRANSP:OPAQUE"
    yield "END:VEVENT"


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(text: str) -> str:
    """Escaped as TEXT (3.3.11); control codes, which no calendar may hold, as a dot."""
    seen = "".join(letter if letter.isprintable() or letter == "\n" else "·" for letter in text)
    return seen.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Lines of at most 75 octets, no letter cut in two; what goes on begins with a space."""
    part, octets = "", 0
    for letter in line:
        size = len(letter.encode())
        if octets + size > _MOST_OCTETS:
            yield part
            part, octets = " ", 1
        part, octets = part + letter, octets + size
    yield part
