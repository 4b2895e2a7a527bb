"""What the plan must keep to: capacity, dates, teams, money, and what is weighed in decisions."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Count, Percent, Span, TimeOfDay
from crossfade.model.file.section import Section
from crossfade.model.file.texts import FilePath, Slug, Text


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


class ReadinessFactor(StrEnum):
    """What the readiness of an application is made of; names of `planning.readiness_weights`."""

    OPERATING_SYSTEM = "operating-system"
    DATABASE_ENGINE = "database-engine"
    DATABASE_VERSION = "database-version"
    SIZE = "size"
    CHURN = "churn"
    OUTSIDE_DEPENDENCIES = "outside-dependencies"
    LICENCES = "licences"
    FIXED_ADDRESSES = "fixed-addresses"
    OWNER = "owner"


class ChangeWindow(Section):
    """When cutovers may happen, every week."""

    days: Annotated[tuple[Weekday, ...], Field(min_length=1)]
    """Days on which it opens."""
    start: TimeOfDay
    """When it opens, in quotes: `"22:00"`."""
    duration: Span
    """How long it stays open."""


class Blackout(Section):
    """Dates on which nothing may be changed, both included."""

    first: date
    """First day, such as 2026-12-15."""
    last: date
    """Last day."""
    reason: Text
    """Why, for the plan."""


class Team(Section):
    """People who carry out moves."""

    name: Slug
    """Name of the team."""
    servers_per_wave: Count
    """Servers that it can move in a wave."""
    people: Count = 1
    """How many people it has; for the budget."""
    daily_rate: Annotated[float, Field(ge=0)] = 0.0
    """Cost of a person for a day."""
    days: Count | None = None
    """Working days that it is needed; without it, each from Monday to Friday of its waves."""


class Costs(Section):
    """The budget's assumptions."""

    currency: Annotated[str, Form(r"[A-Z]{3}", "a currency in three capitals, such as USD")] = "USD"
    """Currency of all amounts."""
    monthly: dict[Text, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Cost of a component for a month, by name; beside the built-in price table."""
    once: dict[Text, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """What is paid once, by name: licences, hardware, training."""
    usd_rate: Annotated[float, Field(gt=0, le=10**6)] | None = None
    """What a US dollar costs in `currency`, for the prices of AWS; not needed for USD."""
    current_monthly: Annotated[float, Field(ge=0)] | None = None
    """What the data center costs a month."""
    contingency_percent: Percent = 15.0
    """Added to the sum."""


PROBABILITIES = (0.1, 0.3, 0.6, 0.9)
"""Source: REQUIREMENTS C3."""


def _one_of_four(value: float) -> float:
    if value not in PROBABILITIES:
        remedy = f"write one of {', '.join(str(one) for one in PROBABILITIES)}"
        raise PydanticCustomError("choice", "is none of the four probabilities", {"remedy": remedy})
    return value


RiskProbability = Annotated[
    float,
    AfterValidator(_one_of_four),
    WithJsonSchema({"type": "number", "enum": list(PROBABILITIES), "x-kind": "0.1, 0.3, 0.6 or 0.9"}),
]
"""How probable a risk is; people agree on four steps sooner than on a number."""


class Risk(Section):
    """A risk that the inventory cannot show."""

    title: Text
    """What may happen."""
    category: Slug
    """Such as `technical`, `business`, `security`, `people`."""
    impact: Annotated[int, Field(ge=1, le=4)]
    """1 (minor) to 4 (critical)."""
    probability: RiskProbability
    """0.1, 0.3, 0.6 or 0.9."""
    owner: Text
    """Who watches it."""
    mitigation: str = ""
    """What makes it less likely."""
    contingency: str = ""
    """What is done when it happens."""


class Option(Section):
    """An option of the decision matrix."""

    name: Slug
    """Such as `incremental`, `rewrite`, `lift-and-shift`."""
    scores: dict[Slug, Annotated[float, Field(ge=0, le=10)]]
    """Score for each factor, 0 to 10."""


class Decision(Section):
    """The decision matrix; built-in factors and options when empty."""

    weights: dict[Slug, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    """Weight of each factor."""
    options: tuple[Option, ...] = ()
    """Options with their scores."""
    records: FilePath = "decisions"
    """Directory of the migration decision records."""


class Planning(Section):
    """What waves, schedule, budget and report must keep to."""

    start: date | None = None
    """First day of the migration."""
    deadline: date | None = None
    """Day by which the data center must be empty."""
    servers_per_wave: Count = 50
    """Largest wave."""
    pilot_servers: Count = 5
    """Largest pilot wave, which comes first."""
    windows: tuple[ChangeWindow, ...] = ()
    """Weekly change windows. Empty: any time."""
    time_zone: Annotated[str, Form(r"[A-Za-z0-9_+/-]+", "an IANA time zone, such as America/New_York", 64)] = (
        "America/New_York"
    )
    """Time zone of windows and dates, as IANA names it."""
    blackouts: tuple[Blackout, ...] = ()
    """Dates without changes."""
    teams: tuple[Team, ...] = ()
    """Who moves what."""
    together: tuple[Annotated[tuple[Text, ...], Field(min_length=2)], ...] = ()
    """Applications or servers that must move in the same wave."""
    apart: tuple[Annotated[tuple[Text, ...], Field(min_length=2)], ...] = ()
    """Applications or servers that must not."""
    out_of_scope: tuple[Text, ...] = ()
    """Applications or servers that stay."""
    latency_critical: tuple[Annotated[tuple[Text, ...], Field(min_length=2, max_length=2)], ...] = ()
    """Pairs that must not talk over the link between two waves."""
    readiness_weights: dict[Slug, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    """Weights of the readiness factors, where they are not the built-in ones: `operating-system`, `database-engine`,
    `database-version`, `size`, `churn`, `outside-dependencies`, `licences`, `fixed-addresses`, `owner`."""
    success_criteria: tuple[Text, ...] = ()
    """What the report calls success, beside the limits of this file."""
    contacts: dict[Slug, Text] = Field(default_factory=dict)
    """Who is called when something goes wrong: a role, and a team or a number; for the playbooks."""
    risks: tuple[Risk, ...] = ()
    """Risks beside those found in inventory and file."""
    decision: Decision = Decision()
    """The decision matrix."""
    costs: Costs = Costs()
    """The budget's assumptions."""
