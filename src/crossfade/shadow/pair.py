"""Recorded pairs: what control and candidate answered to one request, a line of JSON each, checked strictly."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails
from typing_extensions import TypedDict

from crossfade.model.file.fault import dotted
from crossfade.shadow.reading import NotJson, read_json

_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
_FORM = 'write {"id": …, "control": {"status", "headers", "body", "ms"}, "candidate": {…}, "control_again"?: {…}}'


@with_config(_STRICT)
class Answer(TypedDict):
    """What one side answered. `body` is JSON, or a text; `headers` are texts or lists of texts; `ms` milliseconds."""

    status: Annotated[int, Field(ge=100, le=999)]
    headers: dict[str, str | list[str]]
    body: Any
    ms: Annotated[float, Field(ge=0, le=1e9)]


@with_config(_STRICT)
class Pair(TypedDict):
    """Both answers to one request; `control_again` is what the control answered when asked a second time."""

    id: Annotated[str, Field(min_length=1, max_length=1000)] | int
    control: Answer
    candidate: Answer
    control_again: NotRequired[Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFault:
    """What is wrong in a line, where in it (empty: the line as a whole), and what to do. Repeats no value."""

    place: str
    problem: str
    remedy: str


_ADAPTER: TypeAdapter[Pair] = TypeAdapter(Pair)
_BRANCHES = {"str", "int", "list[str]", "constrained-str"}  # of unions, which pydantic names within the place
_REMEDIES: Mapping[str, str] = {
    "id": "write the request's id, a text of 1 to 1000 letters or a whole number",
    "status": "write the status code of HTTP, a whole number from 100 to 999",
    "headers": "write an object with a text, or a list of texts, for each header",
    "ms": "write how long the answer took in milliseconds, a number from 0 to 1e9",
    "control": "write an answer: status, headers, body and ms",
    "candidate": "write an answer: status, headers, body and ms",
    "control_again": "write an answer, or leave it out",
    "body": "write the body as JSON or as a text; null for none",
}


def read_pair(line: bytes) -> Pair | tuple[PairFault, ...]:
    """The pair of a line, or all that is wrong with it."""
    try:
        raw = read_json(line)
    except NotJson as fault:
        return (PairFault(place="", problem=f"is no JSON: {fault}", remedy=_FORM),)
    try:
        return _ADAPTER.validate_python(_with_plain_milliseconds(raw))
    except ValidationError as exc:
        return tuple(dict.fromkeys(_fault(error) for error in exc.errors(include_url=False, include_input=False)))


def _with_plain_milliseconds(raw: Any) -> Any:
    """A line with long decimals has all its decimals exact; a duration has no use for that."""
    if isinstance(raw, dict):
        for answer in raw.values():
            if isinstance(answer, dict) and not isinstance(answer.get("ms"), float | int | None):
                answer["ms"] = _float(answer["ms"])
    return raw


def _float(value: Any) -> Any:
    try:
        return float(value) if not isinstance(value, str) else value
    except (TypeError, ValueError, OverflowError):
        return value


def _fault(error: ErrorDetails) -> PairFault:
    location = tuple(part for part in error["loc"] if part not in _BRANCHES)
    name = next((str(part) for part in reversed(location) if part in _REMEDIES), "")
    place = dotted(location)
    if not location:
        return PairFault(place="", problem="is no object", remedy=_FORM)
    if error["type"] == "extra_forbidden":
        return PairFault(place=place, problem="is not known", remedy=f"remove it, or {_FORM}")
    if error["type"] == "missing":
        return PairFault(place=place, problem="is missing", remedy=_REMEDIES[name])
    if len(location) < len(error["loc"]):
        return PairFault(place=place, problem="is of a wrong kind or length", remedy=_REMEDIES.get(name, _FORM))
    message = error["msg"]
    return PairFault(place=place, problem=f"{message[:1].lower()}{message[1:]}", remedy=_REMEDIES.get(name, _FORM))
