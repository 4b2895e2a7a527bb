"""What this role needs of the site that runs instances: a shape that any launcher's client may have."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol

Kind = Literal["production", "test"]


class Instance(Protocol):
    """A started instance, as the launcher lists it."""

    @property
    def name(self) -> str: ...


class Launcher(Protocol):
    """Starts and stops instances at one site. Errors are `CrossfadeError`s."""

    def start(self, name: str, *, kind: Kind, directory: Path, port: int) -> object:
        """Run what lies in `directory` (release/ and settings.json) on `port`. Not called for a name that runs."""
        ...

    def stop(self, name: str) -> object:
        """The instance is gone when this returns. Not called for a name that does not run."""
        ...

    def instances(self) -> Sequence[Instance]:
        """All that were started and not stopped."""
        ...
