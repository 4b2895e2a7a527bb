"""The table of what vendors support until when, as it lies in the package."""

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator


class OnAws(StrEnum):
    """What AWS has for an engine."""

    MANAGED = "managed"
    COMPATIBLE = "compatible"
    NONE = "none"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Supported(_Strict):
    """`source`: the vendor's page; `releases`: the last supported day of each."""

    source: str
    releases: dict[str, date]
    licence: str | None = None


class SupportedSystem(_Supported):
    """An operating system. `pattern` has a group `release`."""

    product: str
    pattern: re.Pattern[str]
    runs_on_ec2: bool = True

    @field_validator("pattern", mode="before")
    @classmethod
    def _whatever_its_case(cls, pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, re.IGNORECASE)


class SupportedDatabase(_Supported):
    """An engine; `names` are as inventories tell it, in small letters."""

    engine: str
    names: tuple[str, ...]
    on_aws: OnAws


class SupportTable(_Strict):
    """All of it, and the day on which it was put together."""

    as_of: date
    systems: Annotated[tuple[SupportedSystem, ...], Field(min_length=1)]
    databases: Annotated[tuple[SupportedDatabase, ...], Field(min_length=1)]


@cache
def support_table() -> SupportTable:
    """The table of the package."""
    text = files("crossfade.planning.readiness").joinpath("support.yaml").read_text(encoding="utf-8")
    return SupportTable.model_validate(yaml.safe_load(text))


@dataclass(frozen=True, slots=True)
class SystemFound:
    """What an inventory's words on an operating system mean. `until` None: the table has no date for the release."""

    system: SupportedSystem
    release: str
    until: date | None


_SEVERAL = re.compile(r"\d/\d|or later", re.IGNORECASE)


def system_of(told: str, version: str | None = None) -> SystemFound | None:
    """The system of the table that is meant; None if none is, or if the words may mean several releases.

    Hypervisors say `CentOS 4/5 or later`: that is a family and no release.
    """
    text = " ".join(f"{told} {version or ''}".split())
    for system in support_table().systems:
        found = system.pattern.search(text)
        if found is None:
            continue
        release = re.sub(r"(?<=\d)(?=r2)", " ", found["release"].casefold())
        rest = text[found.start() :]
        if system.runs_on_ec2 and _SEVERAL.search(rest):
            return None
        return SystemFound(system=system, release=release, until=system.releases.get(release))
    return None


def database_of(engine: str) -> SupportedDatabase | None:
    """The engine of the table, by its name or the beginning of it (`Oracle 19c`)."""
    told = engine.strip().casefold()
    for database in support_table().databases:
        if any(told == name or re.match(rf"{re.escape(name)}[\s\d]", told) for name in database.names):
            return database
    return None


def release_of(database: SupportedDatabase, version: str) -> tuple[str, date] | None:
    """The release that a version is of, and until when it is supported: 13.4 is of 13, 8.0.36 of 8.0."""
    numbers = re.findall(r"\d+", version)
    for length in (2, 1):
        release = ".".join(numbers[:length])
        if len(numbers) >= length and release in database.releases:
            return release, database.releases[release]
    return None
