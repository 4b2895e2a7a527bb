"""The plan as files that people keep under version control: the same plan gives the same bytes."""

import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

from crossfade.planning.dependency_map import as_page, as_svg, picture_of
from crossfade.planning.inventory.plain_csv import write_plain
from crossfade.planning.plan.as_json import as_json
from crossfade.planning.plan.page import as_html, as_markdown
from crossfade.planning.plan.records import MigrationPlan
from crossfade.planning.risks.heatmap import as_svg as heat_map
from crossfade.planning.risks.page import as_html as risks_html
from crossfade.planning.risks.page import as_markdown as risks_markdown
from crossfade.planning.schedule.calendar_file import as_calendar
from crossfade.planning.schedule.gantt import as_svg as gantt

INDEX = "plan.json"


def files_of(plan: MigrationPlan, more: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """By path in the plan's folder, with `more` that was made of the plan; the index, with their digests, is last."""
    planned = {each.name: f"{each.wave} ({each.day})" for each in plan.applications}
    picture, inventory = picture_of(plan.found, plan.inventory, planned), io.StringIO(newline="")
    write_plain(plan.inventory, inventory)
    files = {
        "plan.md": as_markdown(plan).encode(),
        "plan.html": as_html(plan).encode(),
        "schedule.svg": gantt(plan.schedule, title=f"Schedule of {plan.name}", deadline=plan.deadline).encode(),
        "schedule.ics": as_calendar(plan.schedule, name=plan.name, on=plan.on),
        "map.html": as_page(picture, plan.found, title=f"Dependency map of {plan.name}").encode(),
        "map.svg": as_svg(picture).encode(),
        "risks.html": risks_html(plan.risks).encode(),
        "risks.md": risks_markdown(plan.risks).encode(),
        "risks.svg": heat_map(plan.risks).encode(),
        "inventory.csv": inventory.getvalue().encode("utf-8-sig"),
        **{draft.path: draft.text.encode() for draft in plan.drafts},
        **(more or {}),
    }
    files[INDEX] = (json.dumps(index_of(plan, files), indent=1, ensure_ascii=False) + "\n").encode()
    return files


def index_of(plan: MigrationPlan, files: Mapping[str, bytes]) -> dict[str, Any]:
    """The plan as JSON, with the SHA-256 of the files beside it."""
    digests = {name: digest(content) for name, content in sorted(files.items()) if name != INDEX}
    return as_json(plan) | {"files": digests}


def digest(content: bytes) -> str:
    """SHA-256, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
