"""Shadow testing: a sample of requests is answered by both sides and compared."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from crossfade.model.file.form import Form
from crossfade.model.file.quantities import Count, Percent, PositivePercent, Span
from crossfade.model.file.section import Section
from crossfade.model.file.texts import FieldPath, Header, Secret, UrlPath

Method = Annotated[str, Form(r"[A-Z]+", "a method in capitals, such as GET", 20)]


class Shadow(Section):
    """Mirrored requests whose answers nobody waits for. Off by default."""

    enabled: bool = False
    """Run the shadow phase; otherwise it is passed over."""
    sample_percent: PositivePercent = 10.0
    """Share of requests that are mirrored, chosen by a stable hash."""
    duration: Span = timedelta(hours=1)
    """How long the phase lasts at least."""
    minimum_pairs: Count = 1000
    """Compared pairs that it needs at least."""
    max_difference_percent: Percent = 0.1
    """Share of pairs that may differ beyond noise."""
    methods: Annotated[tuple[Method, ...], Field(min_length=1)] = ("GET", "HEAD")
    """Methods that are mirrored."""
    safe_routes: tuple[UrlPath, ...] = ()
    """Paths free of side effects that are mirrored whatever their method."""
    timeout: Span = timedelta(seconds=2)
    """A shadow call that takes longer is cancelled and counted."""
    max_in_flight: Count = 100
    """Further calls are dropped and counted."""
    ignore_fields: tuple[FieldPath, ...] = ()
    """Fields of JSON bodies that are not compared."""
    ignore_headers: tuple[Header, ...] = ("date", "server", "x-request-id")
    """Headers that are not compared."""
    mask_fields: tuple[FieldPath, ...] = ()
    """Fields with personal data: replaced by a keyed hash before anything is compared or kept."""
    mask_key: Secret | None = None
    """Where the key of that hash is kept; without it each run makes its own."""
    unordered_lists: tuple[FieldPath, ...] = ()
    """Lists that are compared as sets."""
    numeric_tolerance: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Relative difference of numbers that counts as equal."""
    repeat_percent: Percent = 10.0
    """Share of pairs for which the control is asked twice, to tell noise from regression."""
