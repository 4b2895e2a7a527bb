"""The register for programs."""

from dataclasses import asdict

from crossfade.planning.risks.rating import Rating
from crossfade.planning.risks.register import Register, Risk


def as_json(register: Register) -> dict[str, object]:
    """Everything that the register says; dates as texts, scores as numbers."""
    return {
        "migration": register.migration,
        "on": register.on.isoformat(),
        "overall": asdict(register.overall()),
        "categories": [asdict(one) for one in register.by_category()],
        "top": [risk.id for risk in register.top],
        "risks": [_risk(risk) for risk in register.risks],
        "no_longer_found": [asdict(one) for one in register.no_longer_found],
        "notes": register.notes,
    }


def _risk(risk: Risk) -> dict[str, object]:
    return {
        "id": risk.id,
        "title": risk.title,
        "category": risk.category,
        **_rating(risk.rating),
        "residual": _rating(risk.residual),
        "owner": risk.owner,
        "owner_assumed": risk.owner_assumed,
        "origin": risk.origin,
        "evidence": [asdict(one) for one in risk.evidence],
        "mitigations": [asdict(one) for one in risk.mitigations],
        "contingencies": risk.contingencies,
        "triggers": [asdict(one) for one in risk.triggers],
        "overridden": asdict(risk.overridden) if risk.overridden else None,
        "closed": asdict(risk.closed) if risk.closed else None,
    }


def _rating(rating: Rating) -> dict[str, object]:
    return {
        "impact": rating.impact,
        "probability": rating.probability.value_as_float,
        "score": rating.score,
        "level": rating.level,
    }
