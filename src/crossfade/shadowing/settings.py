"""What a collector is told: a file of JSON, which holds no secret."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from crossfade.model.file.texts import Secret
from crossfade.shadow import ShadowSettings

Port = Annotated[int, Field(ge=1, le=65535)]
Address = Annotated[str, Field(pattern=r"^http://[^/\s]+$")]
Percent = Annotated[float, Field(ge=0, le=100)]


class CollectorSettings(BaseModel):
    """Strict: an unknown or missing name is a fault.

    Copies of requests come to `mirror_port`, the counts are told at `control_port`, both on 127.0.0.1. `control` and
    `candidate` are the servers of both sides, asked in turn. `repeat_percent` of the pairs ask the control twice.
    A call takes at most `timeout`; at most `max_in_flight` pairs are under way, and what comes then is dropped.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mirror_port: Port
    control_port: Port
    control: Annotated[tuple[Address, ...], Field(min_length=1)]
    candidate: Annotated[tuple[Address, ...], Field(min_length=1)]
    sample_percent: Percent = 10.0
    repeat_percent: Percent = 10.0
    methods: tuple[str, ...] = ("GET", "HEAD")
    safe_routes: tuple[str, ...] = ()
    timeout: timedelta = timedelta(seconds=2)
    max_in_flight: Annotated[int, Field(ge=1)] = 100
    mask_key: Secret | None = None
    comparison: ShadowSettings = ShadowSettings()


def read_settings(file: Path) -> CollectorSettings:
    """Raises OSError, or pydantic's ValidationError with every fault."""
    return CollectorSettings.model_validate_json(file.read_bytes())
