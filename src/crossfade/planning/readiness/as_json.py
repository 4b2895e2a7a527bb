"""Readiness as the object that `crossfade readiness --json` ends with."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from crossfade.planning.readiness.records import FactorScore, Readiness


def as_json(found: Sequence[Readiness]) -> list[dict[str, Any]]:
    """One object an application; each factor with its weight, and all that was found of it beside."""
    return [asdict(each) | {"factors": [_factor(factor) for factor in each.factors]} for each in found]


def _factor(factor: FactorScore) -> dict[str, Any]:
    told = asdict(factor.finding)
    points, known = told.pop("points"), told.pop("known")
    rounded = None if points is None else round(points, 1)
    head = {"factor": str(factor.factor), "weight": factor.weight, "points": rounded}
    return head | {"known_percent": round(100 * known, 1)} | told
