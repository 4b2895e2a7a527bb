"""A plan as plain data, always in the same order."""

from typing import Any

from crossfade.planning.waves.plan import Plan


def as_json(plan: Plan) -> dict[str, Any]:
    """What `crossfade waves --json` tells, and `--previous` reads."""
    return {
        "waves": [
            {
                "wave": wave.number,
                "date": wave.day.isoformat(),
                "servers": wave.servers,
                "bytes": wave.size_bytes,
                "risk": wave.risk,
                "teams": dict(wave.teams),
                "items": list(wave.items),
            }
            for wave in plan.waves
        ],
        "placements": [
            {"item": p.item, "group": p.group, "wave": p.wave, "date": p.day.isoformat(), "reason": p.reason}
            for p in plan.placements
        ],
        "traffic": plan.traffic,
        "cut": plan.cut,
        "least_cut": plan.least_cut,
        "gap_percent": round(plan.gap_percent, 2),
        "method": plan.method,
        "moved": [
            {
                "item": each.item,
                "from": each.before.isoformat() if each.before else None,
                "to": each.after.isoformat() if each.after else None,
                "reason": each.reason,
            }
            for each in plan.moved
        ],
    }
