"""What does not fit: each with the wave, in figures, and what can be done about it."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from crossfade.model.terms import Phase
from crossfade.planning.schedule.amounts import Amounts
from crossfade.planning.schedule.openings import Openings
from crossfade.planning.schedule.records import Concern, Remark, WaveSchedule
from crossfade.planning.schedule.saying import in_words
from crossfade.report.units import say_bytes, say_duration


def remarks(
    waves: Sequence[WaveSchedule],
    amounts: Sequence[Amounts],
    openings: Openings,
    start: date,
    deadline: date | None,
) -> tuple[Remark, ...]:
    """All of them, wave by wave."""
    found: list[Remark] = []
    for wave, amount in zip(waves, amounts, strict=True):
        found += _copied(wave, openings, start)
        found += _fits(wave)
        found += _dated(wave, openings, deadline)
        found += _known(wave, amount)
    return tuple(found)


def _copied(wave: WaveSchedule, openings: Openings, start: date) -> Iterator[Remark]:
    if not wave.copying.ends:
        yield Remark(
            concern=Concern.NEVER_COPIED,
            wave=wave.wave,
            says=f"copying {in_words(wave.copying)}; {say_bytes(wave.changes_bytes_s)} change each second",
            remedy="widen the link (connectivity), move fewer at once (planning.servers_per_wave), or measure the"
            " change rate",
        )
        return
    short = openings.at(start) - wave.begins
    if short > timedelta(0):
        begins = wave.begins.astimezone(openings.zone)
        yield Remark(
            concern=Concern.BEGINS_BEFORE_START,
            wave=wave.wave,
            says=f"to be copied in time it has to begin {begins:%Y-%m-%d %H:%M}, {say_duration(short)} before the"
            f" start on {start}",
            remedy="begin earlier (planning.start), move it later, or widen the link",
        )


def _fits(wave: WaveSchedule) -> Iterator[Remark]:
    if wave.window is None:
        return
    opened = wave.window.closes - wave.window.opens
    takes = wave.in_window
    if takes.p90 is not None and takes.p90 > opened:
        often = "more often than not" if takes.p50 is not None and takes.p50 > opened else "in some trials"
        yield Remark(
            concern=Concern.LONGER_THAN_WINDOW,
            wave=wave.wave,
            says=f"traffic shift and cutover take {in_words(takes)}: {often} longer than the window of"
            f" {say_duration(opened)}",
            remedy="a longer window (planning.windows), fewer shares or a shorter bake (traffic.ladder), or a smaller"
            " wave",
        )


def _dated(wave: WaveSchedule, openings: Openings, deadline: date | None) -> Iterator[Remark]:
    last = wave.ends.astimezone(openings.zone)
    if deadline is not None and last.date() > deadline:
        yield Remark(
            concern=Concern.AFTER_DEADLINE,
            wave=wave.wave,
            says=f"it is finalized on {last.date()}, after the deadline {deadline}",
            remedy="move it earlier, or move the deadline (planning.deadline)",
        )
    canary, cutover = wave.stage(Phase.CANARY), wave.stage(Phase.CUTOVER)
    closed = openings.blackout_in(canary.begins, cutover.ends) if canary and cutover else None
    if closed is not None:
        day, blackout = closed
        yield Remark(
            concern=Concern.IN_BLACKOUT,
            wave=wave.wave,
            says=f"traffic shift and cutover last into {day}, a day without changes: {blackout.reason}",
            remedy="a window that ends before it (planning.windows)",
        )


def _known(wave: WaveSchedule, amounts: Amounts) -> Iterator[Remark]:
    if amounts.unsized_servers:
        yield Remark(
            concern=Concern.SIZE_UNKNOWN,
            wave=wave.wave,
            says=f"of {amounts.unsized_servers:,} of {amounts.servers:,} servers no source tells the size; each is"
            " taken for 20 to 300 GB",
            remedy="read an export with disks or partitions (RVTools vDisk, vPartition), then plan again",
        )
