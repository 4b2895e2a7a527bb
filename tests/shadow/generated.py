"""Pairs of answers that are equal by the rules, and the same with one difference planted. Drawn from a generator."""

import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from crossfade.shadow import ShadowSettings
from tests.shadow.answers import settings

RELATIVE, ABSOLUTE, APART = 0.001, 0.01, timedelta(seconds=2)
RULES: ShadowSettings = settings(
    ignore_fields=("**.trace",),
    unordered_lists=("**.tags", "**.owners"),
    numeric_tolerance=RELATIVE,
    tolerances=({"path": "**.amount", "absolute": ABSOLUTE},),
    timestamps=({"path": "**.at", "tolerance": "2s"},),
    null_is_missing=True,
)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Leaf:
    """A value of the control, how another answer may say the same, and how it may not."""

    name: str
    value: Any
    same: Any
    other: Any


def leaves(rng: random.Random, depth: int) -> Iterator[Leaf]:
    number, amount = rng.uniform(-1e6, 1e6), round(rng.uniform(0, 500), 2)
    at = BEGAN + timedelta(milliseconds=rng.randrange(10**10))
    late = at + timedelta(milliseconds=rng.randint(-1990, 1990))
    tags = [rng.choice("abcdef") * rng.randint(1, 3) for _ in range(rng.randint(1, 6))]
    yield Leaf("number", number, number * (1 + rng.uniform(-0.9, 0.9) * RELATIVE), number * (1 + 2 * RELATIVE))
    yield Leaf("amount", amount, amount + rng.uniform(-0.9, 0.9) * ABSOLUTE, amount + 2 * ABSOLUTE)
    yield Leaf("at", at.isoformat(), rewritten(late, rng), rewritten(at + 3 * APART, rng))
    yield Leaf("tags", tags, rng.sample(tags, len(tags)), [*tags[1:], f"{tags[0]}x"])
    yield Leaf("title", f"text {number}", f"text {number}", f"text {number}.")
    yield Leaf("ok", number > 0, number > 0, int(number > 0))
    yield Leaf("none", None, rng.choice([None, ...]), 0)
    yield Leaf("trace", rng.random(), rng.random(), ...)
    yield Leaf("long", rng.randrange(10**15), ..., ...)
    if depth:
        owners = [dict(drawn(rng, depth - 1)) for _ in range(rng.randint(1, 3))]
        yield Leaf("owners", owners, ..., ...)
        yield Leaf("inner", dict(drawn(rng, depth - 1)), ..., ...)


def rewritten(at: datetime, rng: random.Random) -> Any:
    offset = timedelta(minutes=rng.choice([0, 60, -330]))
    local = (at + offset).strftime("%Y-%m-%dT%H:%M:%S.%f")
    sign, minutes = ("-" if offset < timedelta(0) else "+"), abs(offset) // timedelta(minutes=1)
    texts = [f"{local}{sign}{minutes // 60:02}:{minutes % 60:02}", at.timestamp() * 1000]
    if at.microsecond == 0:
        texts.append(format_datetime(at, usegmt=True))
    return rng.choice(texts)


def drawn(rng: random.Random, depth: int) -> list[tuple[str, Leaf]]:
    return [(leaf.name, leaf) for leaf in leaves(rng, depth) if leaf.name == "title" or rng.random() < 0.7]


def control(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: control(leaf.value) for name, leaf in value.items()}
    return [control(each) for each in value] if isinstance(value, list) else value


def equal(value: Any, rng: random.Random) -> Any:
    """The same again by the rules: other words, other order."""
    if isinstance(value, dict):
        told = {}
        for name, leaf in rng.sample(list(value.items()), len(value)):
            if leaf.same is ...:
                said = equal(leaf.value, rng)
                told[name] = rng.sample(said, len(said)) if name == "owners" else said
            elif not (leaf.value is None and leaf.same is None and rng.random() < 0.5):
                told[name] = leaf.same
        return {name: said for name, said in told.items() if said is not ...}
    return [equal(each, rng) for each in value] if isinstance(value, list) else copy.copy(value)


def plants(value: dict[str, Leaf]) -> Iterator[tuple[str, dict[str, Leaf], str]]:
    """Where a difference may be planted: the place's path, the object around it, its name."""
    for name, leaf in value.items():
        if leaf.other is not ...:
            yield name, value, name
        elif name == "inner":
            yield from ((f"inner.{path}", around, last) for path, around, last in plants(leaf.value))


def planted(value: dict[str, Leaf], rng: random.Random) -> str:
    """Makes one leaf say something else, and tells its path."""
    path, around, name = rng.choice(list(plants(value)))
    leaf = around[name]
    around[name] = Leaf(name, leaf.value, leaf.other, ...)
    return path


def drawn_body(seed: int) -> tuple[dict[str, Leaf], random.Random]:
    rng = random.Random(seed)
    return dict(drawn(rng, 2)), rng
