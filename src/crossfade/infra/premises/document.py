"""A file for the data center's people, before anything is on the disk. Pure."""

import re
from dataclasses import dataclass

_BLANK = re.compile(r"<[a-z0-9][a-z0-9-]*>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One file of the folder."""

    path: str
    """Within the folder, with `/` between its parts."""
    text: str
    secret: bool = False
    """It holds keys, or is where keys are written: nobody but its owner may read it."""

    @property
    def blanks(self) -> tuple[str, ...]:
        """What a person must still fill in, as it stands in the text: `<tunnel-1-aws-address>`. Sorted, each once."""
        return tuple(sorted(set(_BLANK.findall(self.text))))


def blank(name: str) -> str:
    """The place of a value that is not known yet. No device takes it for a value: it refuses the line."""
    return f"<{name}>"
