"""What the migration costs, as a record: AWS and data center while both run, what is paid once, people, contingency.

What nobody told is a line without an amount, and the total says that it is without it; it is never taken for zero.
"""

from dataclasses import dataclass

from crossfade.planning.executive.money import Money
from crossfade.planning.executive.traced import Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One amount of the budget; None: it is not known, and the figure says why."""

    what: str
    amount: Money | None
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Lines that belong together, with the sum of those that are known."""

    title: str
    lines: tuple[Line, ...]
    figure: Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """All of it. `lacks` names the lines that are not in `total`; `kept_for` divides the contingency by category.

    `monthly`: today, later on AWS, and the difference. `assumptions` are sentences.
    """

    parts: tuple[Part, ...]
    contingency: Figure
    kept_for: tuple[Line, ...]
    total: Figure
    monthly: tuple[Figure, Figure, Figure]
    lacks: tuple[str, ...]
    assumptions: tuple[str, ...]
