"""Factors weighed together, with how much of the score is known."""

from collections.abc import Callable, Mapping
from datetime import date

from crossfade.model.file.planning import ReadinessFactor
from crossfade.planning.applications.records import ApplicationMap
from crossfade.planning.inventory.records import Inventory
from crossfade.planning.readiness import moving_factors, platform_factors
from crossfade.planning.readiness.facts import Facts, facts_of
from crossfade.planning.readiness.records import FactorScore, Finding, Level, Readiness

DEFAULT_WEIGHTS: Mapping[ReadinessFactor, float] = {
    ReadinessFactor.OPERATING_SYSTEM: 20,
    ReadinessFactor.DATABASE_ENGINE: 10,
    ReadinessFactor.DATABASE_VERSION: 10,
    ReadinessFactor.SIZE: 15,
    ReadinessFactor.CHURN: 10,
    ReadinessFactor.OUTSIDE_DEPENDENCIES: 15,
    ReadinessFactor.LICENCES: 5,
    ReadinessFactor.FIXED_ADDRESSES: 5,
    ReadinessFactor.OWNER: 10,
}
"""What most often holds a move up weighs most. Source: docs/readiness.md, which has the reasons."""
READY_FROM, SOME_WORK_FROM = 75.0, 50.0
KNOWN_ENOUGH = 60.0
_FACTORS: Mapping[ReadinessFactor, Callable[[Facts, date], Finding]] = {
    ReadinessFactor.OPERATING_SYSTEM: platform_factors.operating_system,
    ReadinessFactor.DATABASE_ENGINE: platform_factors.database_engine,
    ReadinessFactor.DATABASE_VERSION: platform_factors.database_version,
    ReadinessFactor.SIZE: moving_factors.size,
    ReadinessFactor.CHURN: moving_factors.churn,
    ReadinessFactor.OUTSIDE_DEPENDENCIES: moving_factors.outside_dependencies,
    ReadinessFactor.LICENCES: platform_factors.licences,
    ReadinessFactor.FIXED_ADDRESSES: moving_factors.fixed_addresses,
    ReadinessFactor.OWNER: moving_factors.owner,
}


def readiness_of(
    inventory: Inventory,
    found: ApplicationMap,
    *,
    on: date,
    weights: Mapping[ReadinessFactor, float] = DEFAULT_WEIGHTS,
    out_of_scope: frozenset[str] = frozenset(),
) -> tuple[Readiness, ...]:
    """Every application of the map that moves, in its order. `weights` at least 0; factors without one count 0."""
    stays = {name.casefold() for name in out_of_scope}
    return tuple(
        _score(facts, on, weights)
        for facts in facts_of(inventory, found, out_of_scope)
        if facts.application.name.casefold() not in stays
    )


def _score(facts: Facts, on: date, weights: Mapping[ReadinessFactor, float]) -> Readiness:
    factors = tuple(
        FactorScore(factor=factor, weight=weights.get(factor, 0.0), finding=judge(facts, on))
        for factor, judge in _FACTORS.items()
    )
    whole = sum(each.weight for each in factors)
    known = sum(each.weight * each.finding.known for each in factors)
    gained = sum(each.weight * each.finding.known * (each.finding.points or 0.0) for each in factors)
    score = gained / known if known else None
    known_percent = 100 * known / whole if whole else 0.0
    return Readiness(
        application=facts.application.name,
        servers=len(facts.servers),
        score=None if score is None else round(score, 1),
        lowest=round(gained / whole, 1) if whole else 0.0,
        highest=round((gained + 100 * (whole - known)) / whole, 1) if whole else 100.0,
        known_percent=round(known_percent, 1),
        level=_level(score, known_percent),
        factors=factors,
    )


def _level(score: float | None, known_percent: float) -> Level:
    if score is None or known_percent < KNOWN_ENOUGH:
        return Level.UNKNOWN
    if score >= READY_FROM:
        return Level.READY
    return Level.SOME_WORK if score >= SOME_WORK_FROM else Level.MUCH_WORK
