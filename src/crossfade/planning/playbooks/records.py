"""What a playbook is made of. Texts of other people's stand in it as they are: whoever draws it escapes them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.planning.playbooks.causes import Trigger
from crossfade.planning.playbooks.retreats import Chapter


class Component(StrEnum):
    """What a step is about."""

    ROUTER = "router and shares"
    DATABASE = "database"
    FILES = "files"
    SERVERS = "servers"
    NETWORK = "network"
    KUBERNETES = "Kubernetes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What a person types, as a shell takes it, and what it prints when all is well. `says`: why it is typed."""

    says: str
    text: str
    prints: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How long something may take, or how often it is tried, and where the migration file says so."""

    says: str
    value: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One step of a way back: what the engine does by itself, how a person sees it, and what to do when it does not.

    `key` names the card within a playbook. `hazard` is what must not be forgotten.
    """

    key: str
    component: Component
    title: str
    does: str
    see: tuple[Command, ...] = ()
    by_hand: tuple[Command, ...] = ()
    limits: tuple[Limit, ...] = ()
    hazard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A chapter as it is written down: its steps are keys of cards, in the order in which the runbook asks for them."""

    key: str
    title: str
    chapter: Chapter
    triggers: tuple[Trigger, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """What a person does without an engine, in order."""

    key: str
    title: str
    when: str
    steps: tuple[Command, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """What things are called on AWS. Filled in by whoever decides the names.

    `way_back_tasks` are DataSync's tasks from AWS to the data center, by share; `forward_tasks` the opposite.
    """

    zone: str
    record: str
    database: str
    vpn: str
    alarm: str
    forward_tasks: Mapping[str, str] = field(default_factory=dict)
    way_back_tasks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbooks:
    """All of it, for one migration file. `beside`: what no way back asks anything of, and is looked at all the same."""

    migration: str
    owner: str
    begin: tuple[Command, ...]
    first_minutes: tuple[Command, ...]
    parts: tuple[Part, ...]
    cards: Mapping[str, Card]
    beside: tuple[Card, ...]
    gone: tuple[Procedure, ...]
    afterwards: tuple[Command, ...]
    contacts: tuple[tuple[str, str], ...]
    told: tuple[tuple[str, str], ...]
    root_cause: tuple[Command, ...]
    notes: tuple[str, ...]

    def of(self, component: Component) -> tuple[Card, ...]:
        """The cards about one component, in the order in which the parts need them first."""
        return tuple(card for card in self.cards.values() if card.component is component)
