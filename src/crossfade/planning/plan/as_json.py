"""The joined plan as plain data, always in the same order: `plan.json`, and what `crossfade plan --json` ends with.

`version` rises when a key changes its meaning or goes; keys may be added.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from crossfade.planning.plan.records import MigrationPlan, PlannedApplication
from crossfade.planning.readiness import Readiness
from crossfade.planning.risks.as_json import as_json as risks_as_json
from crossfade.planning.schedule.as_json import as_json as schedule_as_json
from crossfade.planning.waves.as_json import as_json as waves_as_json

VERSION = 1


def as_json(plan: MigrationPlan) -> dict[str, Any]:
    """`waves` is what `crossfade waves --json` tells, `risks` what `crossfade risks --json` tells."""
    inventory = plan.inventory
    return {
        "version": VERSION,
        "plan": plan.name,
        "on": plan.on.isoformat(),
        "start": plan.start.isoformat(),
        "first_window": plan.first_window.isoformat(),
        "deadline": plan.deadline.isoformat() if plan.deadline else None,
        "file": plan.file_name or None,
        "sources": list(plan.sources),
        "inventory": {
            "formats": list(inventory.formats),
            "servers": len(inventory.servers),
            "databases": len(inventory.databases),
            "files": len(inventory.files),
            "dependencies": len(inventory.dependencies),
            "problems": len(inventory.problems),
            "conflicts": len(inventory.conflicts),
        },
        "applications": _applications(plan),
        "not_planned": [asdict(each) for each in plan.not_planned],
        "told_waves": [
            {"wave": each.name, "planned": dict(each.planned), "differs": list(each.differs)}
            for each in plan.told_waves
        ],
        "waves": waves_as_json(plan.waves),
        "schedule": schedule_as_json(plan.schedule),
        "risks": risks_as_json(plan.risks),
        "assumptions": [asdict(each) for each in plan.assumptions],
        "unknowns": [asdict(each) for each in plan.unknowns],
    }


def _applications(plan: MigrationPlan) -> list[dict[str, Any]]:
    readiness: Mapping[str, Readiness] = {each.application: each for each in plan.readiness}
    return [_application(each, readiness.get(each.name)) for each in plan.applications]


def _application(planned: PlannedApplication, readiness: Readiness | None) -> dict[str, Any]:
    link = planned.migration
    return {
        "application": planned.name,
        "wave": planned.wave,
        "date": planned.day.isoformat(),
        "group": planned.group,
        "reason": planned.reason,
        "servers": list(planned.servers),
        "bytes": planned.size_bytes,
        "size_known_percent": planned.size_known_percent,
        "changes_bytes_per_second": None if planned.changes_bytes_s is None else round(planned.changes_bytes_s),
        "owner": planned.owner,
        "team": planned.team,
        "environments": list(planned.environments),
        "risk": planned.risk,
        "readiness": readiness.score if readiness else None,
        "readiness_level": readiness.level if readiness else None,
        "migration": {"file": link.path, "given": link.given, "missing": dict(link.missing)} if link else None,
    }
