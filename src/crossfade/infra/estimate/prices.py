"""List prices, pinned with their source and month: what an estimate multiplies. It knows one region."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

HOURS_A_MONTH = 730
"""Source: AWS Pricing Calculator."""
_SIZES = {"nano": 1 / 16, "micro": 1 / 8, "small": 1 / 4, "medium": 1 / 2, "large": 1.0, "xlarge": 2.0}
_MANY = re.compile(r"(\d+)xlarge")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """USD for one unit in us-east-1, on demand, before taxes and discounts."""

    amount: float
    unit: str
    source: str
    as_of: str
    """Month in which the source said so."""

    @property
    def monthly(self) -> float:
        """For one unit over a whole month: prices by the hour times the hours of a month."""
        return self.amount * (HOURS_A_MONTH if self.unit.startswith("hour") else 1)


@cache
def prices() -> dict[str, Price]:
    """All that are known, by name; instances by `kind/family`, as the price of the size large."""
    told = json.loads(files(__package__).joinpath("prices.json").read_text(encoding="utf-8"))
    return {name: Price(**price) for name, price in told["prices"].items()}


def of_instance(kind: str, instance_type: str) -> Price | None:
    """An hour of `m6i.xlarge`, `db.r6g.2xlarge` or `dms.r5.large`; None if the family's price is not known.

    Sizes of a family cost in proportion.
    """
    *_, family, size = ("", *instance_type.split("."))[-3:]
    large, factor = prices().get(f"{kind}/{family}"), in_larges(size)
    if large is None or factor is None:
        return None
    return Price(amount=large.amount * factor, unit="hour", source=large.source, as_of=large.as_of)


def in_larges(size: str) -> float | None:
    """How many times the size large it is; None for sizes that are no multiple of it, such as metal."""
    many = _MANY.fullmatch(size)
    return 2.0 * int(many[1]) if many else _SIZES.get(size)
