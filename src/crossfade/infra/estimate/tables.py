"""Costs and quotas as people read them. Pure."""

from crossfade.infra.estimate.costs import Cost
from crossfade.infra.estimate.quotas import NeededQuota

Rows = tuple[tuple[str, ...], ...]

COST_HEADINGS = ("component", "how many", "price, USD", "USD a month", "note")
QUOTA_HEADINGS = ("service", "quota", "needed", "by default", "note")


def cost_rows(found: tuple[Cost, ...]) -> Rows:
    return tuple((c.component, _number(c.quantity), _price(c), _amount(c), c.note) for c in found)


def quota_rows(found: tuple[NeededQuota, ...]) -> Rows:
    return tuple((q.service, q.name, f"{q.needed:,}", f"{q.default:,}", q.note) for q in found)


def as_markdown(headings: tuple[str, ...], rows: Rows) -> str:
    lines = (headings, ("---",) * len(headings), *rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _number(quantity: float) -> str:
    return f"{quantity:,.0f}"


def _price(cost: Cost) -> str:
    return "not pinned" if cost.price is None else f"{cost.price.amount:.4g} per {cost.price.unit}"


def _amount(cost: Cost) -> str:
    if cost.amount is None:
        return "?"
    return f"{cost.amount:,.2f}{' once' if cost.once else ''}"
