"""Who must agree, and who is told."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Port, PositivePercent, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import HostName, Secret, Slug, Text, WebAddress
from crossfade.model.terms import Phase


class Approval(Section):
    """A phase that begins, or a share that is risen to, only after people have agreed."""

    phase: Phase
    """Phase before which it is asked."""
    before_share: PositivePercent | None = None
    """With `phase: canary`: a share of the ladder. Not the phase is asked for, but the rise to this share."""
    by: tuple[Text, ...] = ()
    """Who may approve: names or groups. Empty: anybody."""
    count: Annotated[int, Field(ge=1, le=10)] = 1
    """How many different people must."""
    valid_for: Span | None = None
    """An approval older than this must be given again."""


class Topic(StrEnum):
    """What people are told about."""

    PHASE = "phase"
    ERROR = "error"
    COMPLETION = "completion"


Topics = Annotated[tuple[Topic, ...], Field(min_length=1)]
ALL_TOPICS: tuple[Topic, ...] = tuple(Topic)


class Webhook(Section):
    """An HTTPS endpoint that gets each notice as JSON (a chat, a pager)."""

    name: Slug
    """Name of the channel in reports."""
    url: WebAddress | None = None
    """Where notices are posted, when the address itself is no secret."""
    url_secret: Secret | None = None
    """Where the address is kept, when it is one (as with chat webhooks)."""
    signing_key: Secret | None = None
    """Where the key is kept that signs each notice (HMAC-SHA256)."""
    topics: Topics = ALL_TOPICS
    """What it is told about."""


EmailAddress = Annotated[str, Form(r"[^@\s]+@[^@\s]+", "one address, such as team@example.com", 254)]


class Email(Section):
    """Mail by SMTP."""

    host: HostName
    """Mail server."""
    port: Port = 587
    """Port."""
    starttls: bool = True
    """Encrypt the connection; switch it off only for a server on this computer."""
    credentials: Secret | None = None
    """Where user and password are kept (`user:password`)."""
    sender: EmailAddress
    """Sender of the notices."""
    to: Annotated[tuple[EmailAddress, ...], Field(min_length=1)]
    """Who gets them; better a group than persons."""
    topics: Topics = ALL_TOPICS
    """What is mailed."""


class SubscriptionProtocol(StrEnum):
    """How SNS reaches a subscriber."""

    EMAIL = "email"
    HTTPS = "https"
    SQS = "sqs"
    LAMBDA = "lambda"


class Subscription(Section):
    """A subscriber of the SNS topics."""

    protocol: SubscriptionProtocol
    """`email`, `https`, `sqs` or `lambda`."""
    endpoint: Text
    """Address or ARN."""
    topics: Topics = ALL_TOPICS
    """Topics that it subscribes to."""


class Notifications(Section):
    """Who is told of phase changes, errors and completion."""

    terminal: bool = True
    """Show notices where the migration was started."""
    webhooks: tuple[Webhook, ...] = ()
    """HTTPS endpoints."""
    email: tuple[Email, ...] = ()
    """Mail servers with recipients."""
    sns: tuple[Subscription, ...] = ()
    """Subscribers of the SNS topics on AWS."""
    retry_for: Span | None = None
    """How long an undelivered notice is tried; for ever by default."""
