"""What an administrator says about one server, in its settings.json."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError


class Arm(StrEnum):
    """Which of the two fleets a server belongs to; it stands in every answer as x-arm."""

    LEGACY = "legacy"
    MODERN = "modern"


class Side(StrEnum):
    """One of the two databases, and the share beside it."""

    SOURCE = "source"
    TARGET = "target"

    @property
    def other(self) -> "Side":
        return Side.TARGET if self is Side.SOURCE else Side.SOURCE


class SettingsFaulty(Exception):
    """Settings.json cannot be used. `faults` are all of them, each with its place in the file."""

    def __init__(self, file: Path, faults: tuple[str, ...]) -> None:
        self.file, self.faults = file, faults
        super().__init__(f"{file} cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))


_Text = Annotated[str, Field(min_length=1)]


class ServerSettings(BaseModel):
    """Strict: an unknown or missing name is a fault. DSNs are libpq's, in the form `key=value`.

    `service_time_ms` is the median of the (lognormal) time that a request takes apart from the database's part, and
    `service_time_sigma` its shape. `connections` stand open to each of the two databases. A request is answered
    within `deadline_seconds`, whatever happens to the databases. Shadow requests are served by the database role
    `shadow_role`, which may not write.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    name: _Text
    arm: Annotated[Arm, Field(strict=False)]  # JSON has no enums
    port: Annotated[int, Field(ge=1, le=65535)]
    source_dsn: _Text
    target_dsn: _Text
    source_share: _Text
    target_share: _Text
    service_time_ms: Annotated[float, Field(ge=0, le=10_000)] = 12.0
    service_time_sigma: Annotated[float, Field(ge=0, le=2)] = 0.55
    connections: Annotated[int, Field(ge=1, le=50)] = 2
    shadow_role: _Text = "ledger_shadow"
    deadline_seconds: Annotated[float, Field(gt=0, le=60)] = 8.0

    def dsn(self, side: Side) -> str:
        return self.source_dsn if side is Side.SOURCE else self.target_dsn

    def share(self, side: Side) -> Path:
        return Path(self.source_share if side is Side.SOURCE else self.target_share)


def read_settings(file: Path) -> ServerSettings:
    """Raises SettingsFaulty with every fault of the file; values are not repeated, a DSN may hold a password."""
    try:
        return ServerSettings.model_validate_json(file.read_bytes())
    except OSError as exc:
        raise SettingsFaulty(file, (f"the file: {exc.strerror or 'cannot be read'}",)) from exc
    except ValidationError as exc:
        faults = tuple(
            f"{'.'.join(str(part) for part in fault['loc']) or 'the file'}: {fault['msg']}"
            for fault in exc.errors(include_input=False, include_url=False, include_context=False)
        )
        raise SettingsFaulty(file, faults) from None  # the cause repeats the values
