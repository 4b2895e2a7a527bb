"""Prometheus's answers, checked at the door: what is not exactly a vector of counts is refused with its reason."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from crossfade.metrics.errors import Unfit
from crossfade.model.counts import LatencyHistogram

_LARGEST = 2**53  # above it, a float no longer holds every whole number


class _Door(BaseModel):
    """Further keys are allowed: newer servers add some, such as `infos` and `stats`."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Series(_Door):
    """One series at one instant; `histogram` is there instead of a value when it is a native histogram."""

    metric: dict[str, str]
    value: tuple[float, str] | None = None
    histogram: object | None = None

    @property
    def number(self) -> float:
        if self.value is None:
            raise Unfit("a native histogram came; select the `_bucket` series of a classic one")
        try:
            found = float(self.value[1])
        except ValueError:
            raise Unfit("a value that is no number came") from None
        if not math.isfinite(found):
            raise Unfit(f"the value is {self.value[1]}, which is no count")
        return found

    @property
    def count(self) -> int:
        found = self.number
        if found < 0 or found != int(found) or found > _LARGEST:
            raise Unfit(f"the value is {found:g}, which is no count: select a counter, without rate() or increase()")
        return int(found)


class _Vector(_Door):
    resultType: Literal["vector"]  # noqa: N815 - as the API names it
    result: list[Series]


class _Success(_Door):
    status: Literal["success"]
    data: _Vector
    warnings: list[str] = []


class _Refusal(_Door):
    status: Literal["error"]
    errorType: str  # noqa: N815 - as the API names it
    error: str


def vector(body: bytes) -> list[Series]:
    """The series of an answer, at least one. Raises Unfit for anything else, partial answers among them."""
    try:
        answer = _Success.model_validate_json(body)
    except ValidationError:
        raise Unfit(refusal(body) or "the answer is not one of Prometheus's query API") from None
    if answer.warnings:
        raise Unfit(f"the answer may be partial: {_brief(answer.warnings[0])}")
    if not answer.data.result:
        raise Unfit("there is no such series")
    return answer.data.result


def refusal(body: bytes) -> str | None:
    """Prometheus's own words of why it refuses, None where these are not its words."""
    try:
        refused = _Refusal.model_validate_json(body)
    except ValidationError:
        return None
    return f"{refused.errorType}: {_brief(refused.error)}"


def single(series: list[Series]) -> Series:
    if len(series) != 1:
        raise Unfit(f"{len(series)} series came where one was expected")
    return series[0]


def histogram(series: list[Series], le_in_ms: float) -> LatencyHistogram:
    """Cumulative buckets as bins. Raises Unfit without `+Inf`, or when a bucket holds more than a wider one."""
    cumulative: dict[float, int] = {}
    for one in series:
        try:
            edge = float(one.metric["le"])
        except (KeyError, ValueError):
            raise Unfit("a series without the label `le` of a bucket came") from None
        if edge in cumulative or math.isnan(edge):
            raise Unfit(f"the bucket up to {one.metric['le']} came twice")
        cumulative[edge] = one.count
    *edges, last = sorted(cumulative)
    if last != math.inf or not edges or edges[0] <= 0:
        raise Unfit("the buckets are not those of a histogram of latencies: edges above 0, and +Inf")
    counts, before = [], 0
    for edge in (*edges, last):
        counts.append(cumulative[edge] - before)
        before = cumulative[edge]
    if min(counts) < 0:
        raise Unfit("a bucket holds more than a wider one: the histogram was read while it changed")
    return LatencyHistogram(edges_ms=tuple(round(edge * le_in_ms, 6) for edge in edges), counts=tuple(counts))


def _brief(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:199]}…"
