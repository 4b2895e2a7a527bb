"""A plan that was written before, as far as the next one needs it: who moved when, and which files were written."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from crossfade.model.errors import CrossfadeError
from crossfade.planning.plan.as_json import VERSION
from crossfade.planning.plan.placing import Former


class FormerPlanUnusable(CrossfadeError):
    """The folder's plan.json is none that this version wrote."""

    remedy = "Restore it from your version control, or write the plan into a new folder."

    def __init__(self, problem: str) -> None:
        self.problem = problem
        super().__init__(f"plan.json {problem}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The former plan, and the SHA-256 of each file that was written with it, by its path in the folder."""

    former: Former
    digests: Mapping[str, str]


def read_former(text: str) -> Written:
    """What `plan.json` says. Raises FormerPlanUnusable."""
    try:
        told: Any = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise FormerPlanUnusable("is no JSON") from exc
    if not isinstance(told, dict) or told.get("version") != VERSION:
        raise FormerPlanUnusable(f"is of another version than {VERSION}, or no plan")
    try:
        days = {str(each["item"]): date.fromisoformat(each["date"]) for each in told["waves"]["placements"]}
        former = Former(
            days=days,
            first_window=date.fromisoformat(told["first_window"]),
            start=date.fromisoformat(told["start"]),
        )
        digests = {str(name): str(digest) for name, digest in dict(told["files"]).items()}
    except (ValueError, KeyError, TypeError) as exc:
        raise FormerPlanUnusable("lacks what a plan has") from exc
    return Written(former=former, digests=digests)
