"""What AWS asks for, by component, as `crossfade costs --json` tells it: read strictly, every fault together."""

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_MOST_BYTES = 1_000_000
_Amount = Annotated[float, Field(ge=0)]


class _Told(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, allow_inf_nan=False)


class _Price(_Told):
    amount: _Amount
    unit: str
    source: str
    as_of: str


class _Component(_Told):
    component: str
    quantity: _Amount
    price: _Price | None
    once: bool
    note: str
    amount: _Amount | None


class _Answer(_Told):
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    components: list[_Component]
    notes: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One component. `amount` is what all of it costs a month, or once; None: nobody pinned a price."""

    name: str
    amount: Fraction | None
    once: bool
    price: str
    note: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Components in the order of the file, and what the estimate leaves out. `name` is the file's."""

    name: str
    currency: str
    components: tuple[Component, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFault:
    """Something of the file that is not as `crossfade costs --json` writes it. `place` is a path within."""

    place: str
    problem: str
    remedy: str = "write it anew by `crossfade costs FILE --json`"


def read_prices(text: str, name: str) -> PriceList | tuple[PriceFault, ...]:
    """What the last line of `text` tells, as it stands in a log; or all its faults."""
    if len(text) > _MOST_BYTES:
        return (PriceFault(place="", problem="is larger than 1 MB"),)
    lines = text.strip().splitlines()
    try:
        told = _Answer.model_validate(json.loads(lines[-1] if lines else ""))
    except (json.JSONDecodeError, RecursionError):
        return (PriceFault(place="", problem="is no answer of `crossfade costs --json`"),)
    except ValidationError as found:
        return tuple(PriceFault(place=_dotted(one["loc"]), problem=one["msg"]) for one in found.errors())
    components = (_component(one, f"{name} components[{n}]") for n, one in enumerate(told.components))
    return PriceList(name=name, currency=told.currency, components=tuple(components), notes=tuple(told.notes))


def _component(told: _Component, place: str) -> Component:
    price = told.price
    said = "no price is pinned"
    if price is not None:
        said = f"{told.quantity:,g} at {price.amount:g} per {price.unit}, {price.source} as of {price.as_of}"
    return Component(
        name=told.component,
        amount=None if told.amount is None else Fraction(str(told.amount)),
        once=told.once,
        price=said,
        note=told.note,
        place=place,
    )


def _dotted(within: tuple[str | int, ...]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in within).lstrip(".")
