"""A schedule as plain data, always in the same order. Times are ISO 8601 with their offset, durations seconds."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from crossfade.planning.schedule.records import Estimate, Schedule, Stage, WaveSchedule


def as_json(schedule: Schedule) -> dict[str, Any]:
    """`p50_seconds` or `p90_seconds` null: so many trials never end."""
    return {
        "time_zone": schedule.time_zone,
        "link": {"path": schedule.link_name, "bits_per_second": schedule.link_bits_s},
        "seed": schedule.seed,
        "trials": schedule.trials,
        "waves": [_wave(wave) for wave in schedule.waves],
        "remarks": [asdict(remark) for remark in schedule.remarks],
        "assumed": [asdict(assumed) for assumed in schedule.assumed],
    }


def _wave(wave: WaveSchedule) -> dict[str, Any]:
    opening = wave.window
    window = {"opens": opening.opens.isoformat(), "closes": opening.closes.isoformat()} if opening else None
    return {
        "wave": wave.wave,
        "date": wave.day.isoformat(),
        "applications": list(wave.applications),
        "servers": wave.servers,
        "bytes": wave.size_bytes,
        "changes_bytes_per_second": round(wave.changes_bytes_s),
        "window": window,
        "copying": _estimate(wave.copying),
        "in_window": _estimate(wave.in_window),
        "phases": [_stage(stage) for stage in wave.stages],
    }


def _stage(stage: Stage) -> dict[str, Any]:
    return {
        "phase": stage.phase,
        "begins": stage.begins.isoformat(),
        "ends": stage.ends.isoformat(),
        **_estimate(stage.estimate),
        "says": stage.says,
    }


def _estimate(estimate: Estimate) -> dict[str, int | None]:
    return {"p50_seconds": _seconds(estimate.p50), "p90_seconds": _seconds(estimate.p90)}


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds())
