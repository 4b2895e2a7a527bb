"""Rules between values that are fine by themselves. Each is a pure function over a whole file."""

from collections.abc import Iterator

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.rules import database, metrics, people, site, traffic
from crossfade.model.file.rules.finding import Finding

ALL = (*site.ALL, *database.ALL, *traffic.ALL, *metrics.ALL, *people.ALL)


def findings(file: MigrationFile) -> Iterator[Finding]:
    """All that the rules find, in no particular order."""
    for rule in ALL:
        yield from rule(file)
