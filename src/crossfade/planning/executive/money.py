"""Money: exact until it is shown, and rounded once, so that what stands on paper adds up."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

ROUNDING = "Each amount is rounded once, to whole {currency}, half up; sums add the rounded amounts."


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """A whole number of `currency`, which is three capitals. Amounts of two currencies are never added."""

    whole: int
    currency: str

    def __str__(self) -> str:
        return f"{self.whole:,} {self.currency}"


def rounded(amount: Fraction, currency: str) -> Money:
    """Half up, as accounts do it."""
    exact = Decimal(amount.numerator) / Decimal(amount.denominator)
    return Money(whole=int(exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)), currency=currency)


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum. Raises ValueError where an amount has another currency."""
    whole = 0
    for amount in amounts:
        if amount.currency != currency:
            raise ValueError(amount.currency)
        whole += amount.whole
    return Money(whole=whole, currency=currency)
