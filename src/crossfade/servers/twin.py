"""A legacy server, its twin, and the twin's settings made from the legacy server's."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from crossfade.servers.errors import LegacyUnfit, ServerFault
from crossfade.servers.launcher import Kind

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
MODERN_ARM = "modern"


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """One legacy server and what stands for it on the target.

    `settings` are written over the legacy server's (such as addresses that differ at the other site); name, arm and
    port always are.
    """

    legacy: str
    name: str
    port: int
    test_port: int
    settings: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (self.legacy, self.name):
            if not _NAME.fullmatch(name):  # names become folders: nothing may lead out of the site's own
                raise ValueError(f"{name!r} cannot be a server's name")

    def instance(self, kind: Kind) -> str:
        """The name under which the launcher knows the instance."""
        return self.name if kind == "production" else f"{self.name}-test"

    def port_of(self, kind: Kind) -> int:
        return self.port if kind == "production" else self.test_port


def translate(legacy_settings: bytes, twin: Twin) -> bytes:
    """The twin's settings.json: the legacy server's with name, arm, port and the twin's own settings put in.

    The same settings always give the same bytes. Raises `LegacyUnfit` with every fault of the file.
    """
    try:
        settings = json.loads(legacy_settings)
    except ValueError as wrong:  # UnicodeDecodeError is one too
        raise _unfit(twin, {"settings.json": f"is not JSON ({wrong})"}) from wrong
    if not isinstance(settings, dict):
        raise _unfit(twin, {"settings.json": "is not a JSON object"})
    identity: dict[str, Json] = {"name": twin.name, "arm": MODERN_ARM, "port": twin.port}
    missing = {f"settings.json {key}": "is missing" for key in identity if key not in settings}
    if missing:  # a release that reads its identity from elsewhere would answer in the legacy server's name
        raise _unfit(twin, missing)
    return json.dumps({**settings, **twin.settings, **identity}, indent=2, sort_keys=True).encode() + b"\n"


def _unfit(twin: Twin, problems: Mapping[str, str]) -> LegacyUnfit:
    remedy = "Write settings.json as the release documents it."
    return LegacyUnfit(
        [
            ServerFault(server=twin.legacy, place=place, problem=problem, remedy=remedy)
            for place, problem in problems.items()
        ]
    )
