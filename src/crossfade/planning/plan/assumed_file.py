"""A migration file of defaults alone, for a plan that is made of an inventory and nothing else."""

from crossfade.model.file import MigrationFile, load
from crossfade.model.file.tree import Tree, read_tree

NAME = "assumed"
_TEXT = """\
version: 1
migration: {{name: assumed, owner: nobody is named yet}}
environment: {{suffix: assumed}}
source: {{cidr: 192.168.0.0/16}}
servers: {{count: {count}}}
database: {{name: assumed, size: 0B, application_roles: [assumed]}}
"""


def assumed_file(servers: int) -> tuple[MigrationFile, Tree]:
    """The file and its tree. It is never written: its names mean nothing, its defaults are those of every file."""
    text = _TEXT.format(count=min(max(1, servers), 10_000))
    file = load(text, NAME)
    assert isinstance(file, MigrationFile)  # the text above is sound, whatever the count
    return file, read_tree(text, NAME)
