"""What goes wrong in a run: drawn from the seed before it begins, so that any of it can be left out."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from crossfade.database.port import SWITCH_POINTS
from crossfade.model.terms import Phase, Side

LOOKS = (
    "router.shares",
    "metrics.arms",
    "database.replication",
    "database.way_back",
    "database.writer",
    "files.state",
    "shadow.reading",
)
ACTS = (
    "router.set_shares",
    "router.set_shares",
    "servers.launch_cutover",
    "servers.revert",
    "files.follow",
    "checks.run",
    "verifier.verify",
    "database.prepare_switch",
    "database.switch",
    "database.wake_way_back",
    "database.build_way_back",
    "database.end_way_back",
    "database.remove_replication",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """`kind` happens `delay` seconds after `place` came by for the `nth` time, and `lasts` seconds where it can last.

    `side` and `of` (a verb or look of a role, a person's word) say what it happens to, where that is to be said.
    """

    kind: str
    place: str
    nth: int = 1
    delay: float = 0.0
    lasts: float = 0.0
    side: Side = Side.SOURCE
    of: str = ""

    def __str__(self) -> str:
        after = f" +{self.delay:.3f} s" if self.delay else ""
        for_ = f" for {self.lasts:.2f} s" if self.lasts else ""
        of = f" {self.of}" if self.of else ""
        on = f" ({self.side})" if self.kind in _SIDED else ""
        nth = f" #{self.nth}" if self.nth > 1 else ""
        return f"{self.kind}{of}{on}{for_} at {self.place}{nth}{after}"


def draw_faults(rng: Random) -> tuple[Fault, ...]:
    """None in one run of ten, else up to six."""
    if rng.random() < 0.1:
        return ()
    kinds, weights = zip(*((kind, weight) for kind, (weight, _) in _KINDS.items()), strict=True)
    return tuple(_KINDS[kind][1](rng, kind) for kind in rng.choices(kinds, weights, k=rng.randint(1, 6)))


_Draw = Callable[[Random, str], Fault]
_SIDED = {
    "connections-break",
    "database-kill",
    "slot-dropped",
    "slot-made-anew",
    "long-transaction",
    "disk-full",
    "rogue-writer",
}
_SWITCHES = ("wanted:writer_is", "wanted:writer_is", "wanted:switch_prepared", "wanted:way_back_awake")
_PHASES = tuple(f"phase:{phase}" for phase in Phase)
_CLOSE = ("append.before", "append.after")


def _somewhere(rng: Random) -> dict[str, object]:
    """Half of all faults near a switch or at one of its points, where most is at stake."""
    near = rng.random()
    if near < 0.12:  # what breaks while an answer is under way leaves nobody knowing
        delay = rng.choice((0.0, rng.uniform(0, 0.01), rng.uniform(0, 0.1)))
        return {"place": f"point:{rng.choice(SWITCH_POINTS)}", "nth": rng.choice((1, 1, 1, 2)), "delay": delay}
    if near < 0.45:
        return {"place": rng.choice(_SWITCHES), "nth": rng.choice((1, 1, 2)), "delay": rng.expovariate(1 / 0.15)}
    if near < 0.55:
        return {"place": "turned", "delay": rng.uniform(0, 3)}
    return {"place": rng.choice(_PHASES), "delay": rng.uniform(0, 6)}


def _at_a_point(rng: Random) -> dict[str, object]:
    """Exactly before or after a record, an effect, or a point of the switch."""
    which = rng.random()
    if which < 0.35:
        return {"place": rng.choice(_CLOSE), "nth": rng.randint(1, 90)}
    if which < 0.7:
        return {"place": f"{rng.choice(('before', 'after'))}:{rng.choice(ACTS)}", "nth": rng.choice((1, 1, 2, 3))}
    return {"place": f"point:{rng.choice(SWITCH_POINTS)}", "nth": rng.choice((1, 1, 1, 2))}


def _engine(rng: Random, kind: str) -> Fault:
    place = _at_a_point(rng) if rng.random() < 0.6 else _somewhere(rng)
    return Fault(kind=kind, lasts=rng.choice((0.0, 0.05, 0.5, 3.0, 20.0)) * rng.uniform(0.5, 1.5), **place)  # type: ignore[arg-type]


def _outage(rng: Random, kind: str) -> Fault:
    """Short, or longer than every timeout."""
    lasts = rng.choice((0.02, 0.2, 1.0, 4.0, 12.0, 40.0)) * rng.uniform(0.5, 1.5)
    return Fault(kind=kind, lasts=lasts, side=rng.choice(list(Side)), **_somewhere(rng))  # type: ignore[arg-type]


def _connections(rng: Random, kind: str) -> Fault:
    """Within a switch, at the moment at which something was just said there."""
    delay = rng.choice((0.0, rng.uniform(0, 0.002), rng.uniform(0, 0.02)))
    place, nth = f"point:{rng.choice(SWITCH_POINTS)}", rng.choice((1, 1, 1, 2))
    return Fault(kind=kind, place=place, nth=nth, delay=delay, side=rng.choice(list(Side)))


def _effect(rng: Random, kind: str) -> Fault:
    of = rng.choice(ACTS)
    lasts = rng.choice((0.1, 1.0, 8.0)) * rng.uniform(0.5, 1.5)
    return Fault(kind=kind, place=f"before:{of}", nth=rng.choice((1, 1, 2, 3)), lasts=lasts, of=of)


def _look(rng: Random, kind: str) -> Fault:
    lasts = rng.choice((0.6, 3.0, 12.0)) * rng.uniform(0.5, 1.5)
    return Fault(kind=kind, lasts=lasts, of=rng.choice(LOOKS), **_somewhere(rng))  # type: ignore[arg-type]


def _clock(rng: Random, kind: str) -> Fault:
    """`lasts` is how far it jumps, back if below 0."""
    return Fault(kind=kind, lasts=rng.choice((-20.0, -2.0, 0.7, 3.0, 30.0, 3600.0)), **_somewhere(rng))  # type: ignore[arg-type]


def _person(rng: Random, kind: str) -> Fault:
    """Also in the short time in which requests are mirrored."""
    of = rng.choice(("hold", "hold", "rollback", "rollback", "override", "approve"))
    while_mirrored = {"place": "wanted:mirror_is", "delay": rng.uniform(0, 1)}
    where = while_mirrored if rng.random() < 0.1 else _somewhere(rng)
    return Fault(kind=kind, of=of, lasts=rng.choice((0.3, 2.0, 6.0)), **where)  # type: ignore[arg-type]


_KINDS: dict[str, tuple[float, _Draw]] = {
    "engine-kill": (6.0, _engine),
    "engine-freeze": (2.0, _engine),
    "second-engine": (1.0, _engine),
    "database-kill": (2.0, _outage),
    "link-cut": (2.0, _outage),
    "connections-break": (2.0, _connections),
    "link-slow": (1.0, _outage),
    "long-transaction": (1.0, _outage),
    "disk-full": (0.7, _outage),
    "slot-dropped": (0.4, _outage),
    "slot-made-anew": (0.4, _outage),
    "rogue-writer": (0.3, _outage),
    "row-damaged": (0.3, _outage),
    "router-down": (1.0, _outage),
    "router-forgets": (0.7, _outage),
    "checks-fail": (0.5, _outage),
    "effect-fails": (1.5, _effect),
    "effect-lies": (1.5, _effect),
    "effect-slow": (1.0, _effect),
    "look-missing": (1.0, _look),
    "look-old": (1.0, _look),
    "look-slow": (1.0, _look),
    "look-wrong": (1.0, _look),
    "clock-jump": (1.0, _clock),
    "person": (3.0, _person),
}
KINDS = tuple(_KINDS)
