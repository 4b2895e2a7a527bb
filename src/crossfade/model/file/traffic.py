"""How users move: the ladder, the router, the names that clients ask for."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from crossfade.model.file.ladder import LadderStep, listed_shares, rising_shares, with_bakes
from crossfade.model.file.quantities import Duration, Percent, PositivePercent, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import Header, HostName

MAX_STEP_PERCENT = 20.0
"""No step is larger. Source: REQUIREMENTS B2."""


class Strategy(StrEnum):
    """How traffic moves."""

    CANARY = "canary"
    BLUE_GREEN = "blue-green"


class Ladder(Section):
    """The shares of users that move to AWS, in percent, each baked and judged.

    By default 5, 15, 25 … 85, 90, 100. Whatever is set, there is a stop at 90 with `long_bake`.
    """

    start: PositivePercent = 5.0
    """First share."""
    step: PositivePercent = 10.0
    """By how much the share rises."""
    max_step: Annotated[PositivePercent, Field(le=MAX_STEP_PERCENT)] = MAX_STEP_PERCENT
    """No rise is larger, the first included; at most 20."""
    stops: Annotated[tuple[PositivePercent, ...], Field(max_length=200)] = ()
    """Shares listed one by one, rising, instead of `start` and `step`; 90 and 100 are added when missing."""
    bake: Span = timedelta(minutes=10)
    """How long each share is held at least."""
    long_bake: Span = timedelta(minutes=30)
    """How long 90 is held at least; not shorter than `bake`."""

    def shares(self) -> tuple[float, ...]:
        """The shares alone, rising strictly to 100. Raises ValueError for settings that `load` would refuse."""
        return listed_shares(self.stops) if self.stops else rising_shares(start=self.start, step=self.step)


class BlueGreen(Section):
    """Settings of `strategy: blue-green`: everybody moves at once, between two sets of checks."""

    preview: Duration = timedelta(minutes=10)
    """How long the new side is checked before anybody moves."""
    check_every: Span = timedelta(seconds=30)
    """Time between two checks of the new side, during `preview` and `watch`. One that fails begins the preview anew."""
    promote_automatically: bool = True
    """Move when the checks have passed for `preview`; otherwise a person must approve as well."""
    watch: Span = timedelta(minutes=30)
    """How long the new side is judged after promotion before the phase is done."""


class RouterEngine(StrEnum):
    """What shifts the traffic. The rehearsal always uses Envoy, whatever is named here."""

    ROUTE53 = "route53"
    ENVOY = "envoy"
    ARGO = "argo"


def _at_most_a_minute(value: timedelta) -> timedelta:
    """Weighted records with health checks need 60 s or less. Source: Route 53 developer guide."""
    if not timedelta(seconds=1) <= value <= timedelta(seconds=60):
        raise PydanticCustomError("duration", "is out of range", {"remedy": "write 1s to 60s"})
    return value


TimeToLive = Annotated[Span, AfterValidator(_at_most_a_minute)]


class Dns(Section):
    """The private zone in which both sides are found."""

    zone: HostName | None = None
    """Private hosted zone, such as `ledger.internal`; without it `<name>.internal`."""
    record: HostName = "app"
    """Name within the zone that users ask for."""
    ttl: TimeToLive = timedelta(seconds=30)
    """Time to live of the weighted records, from 1s to 60s: as long, clients keep to an old share."""
    resolver_endpoints: bool = True
    """Let the data center resolve the zone."""


class Traffic(Section):
    """How users move to AWS, and back."""

    strategy: Strategy = Strategy.CANARY
    """`canary` climbs the ladder; `blue-green` moves everybody between two sets of checks."""
    ladder: Ladder = Ladder()
    """The ladder of `strategy: canary`."""
    blue_green: BlueGreen = BlueGreen()
    """Settings of `strategy: blue-green`."""
    router: RouterEngine = RouterEngine.ROUTE53
    """What shifts the traffic on AWS: `route53`, `envoy` or `argo` (Kubernetes)."""
    sticky_header: Header = "x-user-id"
    """Request header that names the user; a user stays on a side."""
    warm_up: Duration = timedelta(minutes=1)
    """Time after each rise that is not judged: caches are cold."""
    drain_timeout: Span = timedelta(seconds=30)
    """How long running requests may take to end on a side that gets no more."""
    share_tolerance_percent: Percent = 2.0
    """How far the measured share may be from the wanted one, in percentage points."""
    keep_warm: Duration = timedelta(hours=24)
    """How long the old side keeps running, ready to take everybody back, after all have moved. Nothing is finalized
    before."""
    dns: Dns = Dns()
    """The private zone."""

    def steps(self) -> tuple[LadderStep, ...]:
        """The stops of the traffic shift with their least bake times, rising to 100; nothing is due before the first.

        Canary: the ladder. Blue-green: 0 (previewed), then 100 (watched).
        Raises ValueError for settings that `load` would refuse.
        """
        if self.strategy is Strategy.BLUE_GREEN:
            return (LadderStep(0.0, self.blue_green.preview), LadderStep(100.0, self.blue_green.watch))
        return with_bakes(self.ladder.shares(), bake=self.ladder.bake, long_bake=self.ladder.long_bake)
