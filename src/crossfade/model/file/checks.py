"""What is checked on a side before and after each change, and how long both sides then live beside each other."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from crossfade.model.file.quantities import Count, Port, Size, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import HostName, Slug, Text, UrlPath


class HttpCheck(Section):
    """A request and the answer it must get."""

    name: Slug
    """Name in reports."""
    path: UrlPath = "/health"
    """Path that is asked for on every server of the tier."""
    tier: Slug | None = None
    """Tier that is asked; all by default."""
    status: Annotated[int, Field(ge=100, le=599)] = 200
    """Status of a good answer."""
    contains: str = ""
    """Text that a good answer holds."""
    timeout: Span = timedelta(seconds=5)
    """Longest time for an answer."""


class DatabaseCheck(Section):
    """A connection as the application makes it, and a read."""

    name: Slug = "database"
    """Name in reports."""
    query: Text = "SELECT 1"
    """Statement that must return a row; it runs in a read-only transaction."""
    timeout: Span = timedelta(seconds=5)
    """Longest time for the answer."""


class ServiceCheck(Section):
    """A service that must run, or a port that must answer."""

    name: Slug
    """Name of the service in reports."""
    unit: str = ""
    """Name of the service on the server; empty when only the port counts."""
    port: Port | None = None
    """Port that must accept a connection."""
    host: HostName | None = None
    """Where, if not on the servers themselves."""


class Checks(Section):
    """Checks of test instances, and of a side before and after each change."""

    http: tuple[HttpCheck, ...] = (HttpCheck(name="health"),)
    """Application health."""
    database: tuple[DatabaseCheck, ...] = (DatabaseCheck(),)
    """Database connectivity."""
    services: tuple[ServiceCheck, ...] = ()
    """Services and ports."""
    attempts: Count = 3
    """Attempts before a check has failed."""
    retry_after: Span = timedelta(seconds=10)
    """Pause between attempts."""
    minimum_free_disk: Size | None = None
    """Free disk that each server needs."""


class Bake(Section):
    """After cutover: both sides alive, the way back proven, everything verified again."""

    duration: Span = timedelta(hours=24)
    """How long the new primary is judged before `finalize` may be asked for."""
    verification_interval: Span = timedelta(hours=4)
    """Time between two verifications of source against target."""
    marker_interval: Span = timedelta(seconds=30)
    """Time between two markers that prove the way back."""
    max_way_back_lag: Span = timedelta(minutes=1)
    """A way back that is dead or later than this, for this long and with both sides there, is failed back over."""
    fail_back_automatically: bool = True
    """Fail back by itself: judge, guard, a dying way back, a difference that costs no write. Else a person is asked."""
