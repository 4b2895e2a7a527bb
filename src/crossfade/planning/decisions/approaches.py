"""The decision that every migration begins with: incremental, rewrite or lift and shift. And a file's own instead.

Built-in scores are judgements that hold for most systems, each with its reason; a file's weights, or options of its
own, replace them.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction

from crossfade.model.file.planning import Decision
from crossfade.model.file.rules.finding import Finding
from crossfade.planning.decisions.matrix import Factor, Matrix, Option, Score, exact

TITLE = "How the system moves"

_FACTORS: dict[str, tuple[int, str]] = {
    "way-back": (5, "users and writes can go back at any moment, without loss"),
    "continuity": (5, "users notice nothing while it moves"),
    "time": (4, "the data center is empty soon"),
    "cost": (3, "little is spent until it is"),
    "team": (3, "the people who are there can do it"),
    "modern": (2, "what stands on AWS uses what AWS offers"),
}

_OPTIONS: dict[str, tuple[str, dict[str, tuple[int, str]]]] = {
    "incremental": (
        "Strangler fig: users move share by share, behind one router, while both sides run.",
        {
            "way-back": (9, "the old side runs until the end, and each share can be taken back"),
            "continuity": (9, "each step is baked and judged before the next"),
            "time": (6, "the ladder and two sides at once take their time"),
            "cost": (6, "both sides are paid for while it lasts"),
            "team": (7, "small steps, each like the one before; two sides must be run"),
            "modern": (6, "parts can be replaced one by one, behind the facade"),
        },
    ),
    "rewrite": (
        "The system is written anew for AWS, and replaces the old one.",
        {
            "way-back": (3, "new code with a new data model seldom leads back"),
            "continuity": (4, "everything that users do is new at once"),
            "time": (2, "nothing moves until everything is written"),
            "cost": (2, "the whole system is paid for a second time"),
            "team": (3, "asks for people who know the old one and the new platform"),
            "modern": (10, "made for the platform"),
        },
    ),
    "lift-and-shift": (
        "Servers are copied as they are, and everybody moves in one night.",
        {
            "way-back": (4, "a copy runs one way; going back after the night loses what was written"),
            "continuity": (5, "one outage, as long as the last copy takes"),
            "time": (9, "copying is the fastest way out"),
            "cost": (8, "little is built; the old shape is paid for afterwards"),
            "team": (8, "nothing new to learn beforehand"),
            "modern": (2, "the same servers somewhere else"),
        },
    ),
}


def matrix_of(decision: Decision) -> Matrix | tuple[Finding, ...]:
    """The matrix that a migration file asks for, or what of it does not fit together; paths are those of the file.

    Without options the built-in ones are weighed, by the built-in weights where the file gives none. A file's weights
    replace all built-in ones: what it does not name does not count.
    """
    findings = tuple(_findings(decision))
    if findings:
        return findings
    weights: Mapping[str, float] = decision.weights or {name: weight for name, (weight, _) in _FACTORS.items()}
    return Matrix(
        title=TITLE,
        factors=tuple(
            Factor(name=name, weight=exact(weight), says=_FACTORS[name][1] if name in _FACTORS else "")
            for name, weight in weights.items()
        ),
        options=tuple(_own(decision)) or tuple(_built_in()),
    )


def _own(decision: Decision) -> Iterator[Option]:
    for option in decision.options:
        scores = {name: Score(value=exact(score)) for name, score in option.scores.items()}
        yield Option(name=option.name, scores=scores)


def _built_in() -> Iterator[Option]:
    for name, (says, scores) in _OPTIONS.items():
        told = {factor: Score(value=Fraction(score), because=why) for factor, (score, why) in scores.items()}
        yield Option(name=name, says=says, scores=told)


def _findings(decision: Decision) -> Iterator[Finding]:
    """What neither schema nor rules of the migration file see, for they do not know the built-in factors."""
    here = ("planning", "decision")
    if not decision.options:
        for name in decision.weights:
            if name not in _FACTORS:
                yield Finding(
                    places=((*here, "weights", name),),
                    problem="is no factor of the built-in options",
                    remedy=f"write one of {', '.join(_FACTORS)}, or give options of your own",
                )
        return
    if len(decision.options) < 2:
        yield Finding(
            places=((*here, "options"),),
            problem="has one option, so there is nothing to decide",
            remedy="add another, or leave all out for the built-in ones",
        )
    for i, option in enumerate(decision.options):
        missing = [name for name in decision.weights or _FACTORS if name not in option.scores]
        if missing:
            yield Finding(
                places=((*here, "options", i, "scores"),),
                problem=f"has no score for {', '.join(missing)}",
                remedy="score every factor, or name those that count under weights",
            )
