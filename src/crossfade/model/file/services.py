"""What stands around the migration: security wishes, events, the engine's home, AWS's own tools, the facade."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Count, Duration, Port, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import HostName, Region, Secret, Text


class Framework(StrEnum):
    """Rules that the posture report maps its evidence to."""

    GDPR = "gdpr"
    HIPAA = "hipaa"
    PCI_DSS = "pci-dss"
    SOX = "sox"


class Posture(Section):
    """Security that must be seen before cutover."""

    frameworks: tuple[Framework, ...] = ()
    """Frameworks that evidence is mapped to."""
    key_rotation_days: Annotated[int, Field(ge=90, le=2560)] = 365
    """Rotation of the encryption keys."""
    secret_rotation_days: Annotated[int, Field(ge=1, le=1000)] = 30
    """Rotation of the target's database secrets. That of native replication stays, for the source holds it too."""
    require_mfa: bool = True
    """People who may approve sign in with a second factor."""
    accept: dict[Text, Text] = Field(default_factory=dict)
    """Findings that are accepted: the check, and why."""
    block_cutover: bool = True
    """A finding that is not accepted holds the migration before cutover."""


class JournalStore(StrEnum):
    """Where the journal of a migration on AWS lies. The rehearsal's is SQLite."""

    DYNAMODB = "dynamodb"
    SQLITE = "sqlite"


class Kafka(Section):
    """A Kafka cluster that events are passed on to."""

    bootstrap: Annotated[tuple[HostName, ...], Field(min_length=1)]
    """Brokers."""
    port: Port = 9093
    """Port, with TLS."""
    topic: Annotated[str, Form(r"[A-Za-z0-9._-]+", "letters, digits, dots, underscores and hyphens", 249)]
    """Topic."""
    credentials: Secret | None = None
    """Where the credentials are kept."""


class Events(Section):
    """The journal, the tracking table, and who else gets the events."""

    journal: JournalStore = JournalStore.DYNAMODB
    """Where the journal lies on AWS."""
    tracking_table: bool = True
    """Keep the table of phase, servers, lag and timestamps."""
    eventbridge: bool = True
    """Pass events on to a bus with an archive."""
    archive_days: Annotated[int, Field(ge=1, le=3653)] = 365
    """How long the archive keeps them."""
    kinesis: bool = False
    """Pass events on to a Kinesis stream."""
    kafka: Kafka | None = None
    """Pass events on to Kafka."""


class Orchestration(Section):
    """How the engine looks, acts and calms down."""

    look_every: Span = timedelta(seconds=30)
    """Longest time between two looks at the world."""
    settle: Duration = timedelta(minutes=2)
    """Time between two opposite decisions: no flapping."""
    effect_attempts: Count = 5
    """Attempts at an effect before the migration is halted for a person."""
    effect_timeout: Span = timedelta(minutes=15)
    """An effect that takes longer counts as failed, and is looked at before it is tried again."""
    unhealthy_for: Span = timedelta(minutes=2)
    """How long checks must fail before that rolls back."""


class AwsTools(Section):
    """AWS's own migration services. Off by default: most take no new customers."""

    migration_hub: bool = False
    """Report progress to Migration Hub; only accounts that used it before 7 November 2025."""
    home_region: Region = "us-west-2"
    """Migration Hub's home region."""
    discovery: bool = False
    """A user for agents of Application Discovery Service; the same restriction. Reading from it is not built yet."""
    strategy_recommendations: bool = False
    """Ask for strategy recommendations; the same restriction."""
    orchestrator: bool = False
    """Show the migration as a Migration Hub Orchestrator workflow; the same restriction."""


class Facade(Section):
    """The strangler facade within the application."""

    flag: Annotated[str, Form(r"[A-Za-z0-9._-]+", "letters, digits, dots, underscores and hyphens", 100)] = (
        "crossfade-modern"
    )
    """Key of the OpenFeature flag that holds the share."""
    salt: Annotated[str, Field(max_length=100)] = ""
    """Makes users' segments differ from those of another migration."""
    fall_back: bool = True
    """Answer from legacy when modern fails."""
