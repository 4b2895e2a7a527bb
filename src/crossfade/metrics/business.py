"""A metric of the business as a source is asked for it."""

from dataclasses import dataclass

ARM = "{arm}"
"""Stands for the arm in what a person writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Business:
    """Of `total` events `good` went well; both name counters in the source's own way, with `{arm}` in them."""

    name: str
    good: str
    total: str
