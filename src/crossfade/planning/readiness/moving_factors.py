"""Factors of moving it: how much, how fast it changes, what stays behind, who decides. Each takes its facts."""

from collections.abc import Sequence
from datetime import date

from crossfade.planning.applications.tags import values_of
from crossfade.planning.readiness.facts import Facts
from crossfade.planning.readiness.records import Finding
from crossfade.report.units import say_bytes

_KIB, _MIB, _GIB, _DAY = 2**10, 2**20, 2**30, 86_400
SIZES = ((100 * _GIB, 100.0), (1024 * _GIB, 70.0), (5 * 1024 * _GIB, 40.0))
"""Up to so many bytes, so many points: minutes, hours and the better part of a day over a link of 1 Gbit/s."""
CHANGES = ((10 * _GIB, 100.0), (100 * _GIB, 70.0), (1024 * _GIB, 40.0))
"""Bytes written a day: each must cross the link again, beside the first copy."""
OUTSIDE = ((0, 100.0), (2, 70.0), (5, 40.0))
_BEYOND = 15.0
FIXED_TAGS = ("fixedaddress", "staticip", "hardcodedaddress")


def size(facts: Facts, _: date) -> Finding:
    """Used space where it is told, else the disks' capacity; files that are told to lie elsewhere beside them."""
    told = [(server.disk_used_mib, server.disk_mib) for server in facts.servers]
    known = [mib for used, whole in told if (mib := whole if used is None else used) is not None]
    elsewhere = sum(each.size_mib or 0 for each in facts.files if each.server is None)
    total = (sum(known) + elsewhere) * _MIB
    by_capacity = sum(used is None and whole is not None for used, whole in told)
    note = f", {by_capacity} of {len(told)} servers by the capacity of their disks" if by_capacity else ""
    return _graded(
        f"{say_bytes(total)}{note}",
        "how much has to be copied before the cutover",
        _points(total, SIZES) if known or elsewhere else None,
        (len(known), len(told)),
        "tell disk sizes of each server",
    )


def churn(facts: Facts, _: date) -> Finding:
    """What is written to disks in a day, as far as it was measured."""
    rates = [server.disk_write_kib_s for server in facts.servers if server.disk_write_kib_s is not None]
    written = sum(rates) * _KIB * _DAY
    return _graded(
        f"{say_bytes(written)} a day",
        "how much changes while it is copied, and after",
        _points(written, CHANGES) if rates else None,
        (len(rates), len(facts.servers)),
        "measure disk writes, over a week at least",
    )


def outside_dependencies(facts: Facts, _: date) -> Finding:
    """Unknown ends and what stays; services that all use are not counted. Known for servers that were seen to talk."""
    count = len(facts.outside)
    shown = ", ".join(facts.outside[:5]) + (f" and {count - 5} more" if count > 5 else "")
    seen = len(facts.seen) if facts.servers else int(count > 0)
    return _graded(
        f"{count}: {shown}" if count else "none",
        "whom it talks with that does not move: unknown ends, and what is out of scope",
        _points(count, OUTSIDE) if seen else None,
        (seen, len(facts.servers) or 1),
        "list connections of each server (ss -tnap, flow logs)",
    )


def fixed_addresses(facts: Facts, _: date) -> Finding:
    """Whether programs have its addresses written into them. No export tells; a tag can."""
    told = [values_of(server.tags, FIXED_TAGS) for server in facts.servers]
    fixed = sum(bool(values & {"yes", "true", "1"}) for values in told)
    free = sum(bool(values & {"no", "false", "0"}) and not values & {"yes", "true", "1"} for values in told)
    return _graded(
        f"on {fixed} of {len(told)} servers",
        "whether others have its addresses written into their settings: those break when the address changes",
        (100.0 * free + 20.0 * fixed) / (free + fixed) if free + fixed else None,
        (fixed + free, len(told)),
        "ask the owner, and tag servers fixed-address=yes or fixed-address=no",
    )


def owner(facts: Facts, _: date) -> Finding:
    """Always known: that nobody is told is the finding."""
    reason = "somebody has to approve the cutover and to test the application"
    if not facts.owners:
        return Finding(value="nobody is told", reason=reason, points=0.0, known=1.0, remedy="name an owner")
    if len(facts.owners) > 1:
        value, remedy = f"several: {', '.join(facts.owners[:5])}", "agree on one who decides"
        return Finding(value=value, reason=reason, points=50.0, known=1.0, remedy=remedy)
    return Finding(value=facts.owners[0], reason=reason, points=100.0, known=1.0)


def _points(amount: float, steps: Sequence[tuple[float, float]]) -> float:
    return next((points for most, points in steps if amount <= most), _BEYOND)


def _graded(value: str, reason: str, points: float | None, part: tuple[int, int], remedy: str) -> Finding:
    known, of = part
    return Finding(
        value=value if points is not None else "not known",
        reason=reason,
        points=points,
        known=known / of if of and points is not None else 0.0,
        remedy=remedy if points is None or known < of else "",
    )
