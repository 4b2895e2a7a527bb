"""`crossfade init`: a migration file to start from."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.output import Exit, answer, complain, people
from crossfade.durable import settle
from crossfade.model.errors import CrossfadeError

FILE_NAME = "migration.yaml"

TEMPLATE = """\
# A migration, described. First steps:
#
#   crossfade check migration.yaml       every fault of this file, with its place and remedy
#   crossfade rehearse migration.yaml    the whole migration on this computer, no account needed
#
# Durations are written 500ms, 15m, 24h; sizes 64MB, 500GB, 2TB; percents 5 or 5%. All keys: docs/migration-file.md.
# Lines that begin with '# ' and a key show a default or an example: take the '# ' away to change it.

version: 1

migration:
  name: my-system                   # lower-case letters, digits, hyphens
  owner: platform team              # who answers for it

environment:
  suffix: dev                       # every AWS resource is named resource-type-dev
  region: us-east-1

source:                             # the data center
  cidr: 192.168.0.0/16
  # inventory: rvtools.xlsx         # an export that lists the servers
  # tiers:
  #   - {name: web, role: web, servers: 4, port: 8080}
  #   - {name: api, role: api, servers: 8, port: 8081}

target:                             # AWS
  cidr: 10.0.0.0/16                 # must not overlap the data center's
  zone_count: 3

servers:
  count: 12                         # application servers

database:
  name: app
  size: 500GB
  application_roles: [app]          # every role by which the application writes
  # tables: []                      # all tables
  source:
    version: 13
    # host: db.corp.example
    # credentials: secretsmanager:my-system/source-database    # where the secret is kept, never the secret
  target:
    version: 18

# files:
#   shares:
#     - {name: documents, path: /srv/documents, size: 2TB}

traffic:
  strategy: canary                  # or blue-green
  ladder:                           # 5, 15, 25 … 85, 90, 100
    start: 5%
    step: 10%
    bake: 10m                       # each share is held and judged this long at least
    long_bake: 30m                  # at 90
  sticky_header: x-user-id          # the request header that names the user

limits:                             # what rolls back by itself
  max_error_rate_percent: 3
  max_p95: 500ms

bake:
  duration: 24h                     # after cutover: both sides alive, the way back proven

approvals:
  - phase: cutover
  - phase: finalize                 # the point of no return

notifications:
  terminal: true
  # webhooks:
  #   - {name: chat, url_secret: env:CHAT_WEBHOOK}
  # email:
  #   - {host: smtp.corp.example, sender: crossfade@corp.example, to: [team@corp.example]}

rehearsal:                          # on this computer
  time_scale: 60                    # a planned minute takes a second
  requests_per_second: 300
"""


class FileExists(CrossfadeError):
    """There is a migration file already; it is never overwritten."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already")
        self.path = path
        self.remedy = "name another directory, or move the file away"


class NotADirectory(CrossfadeError):
    """The place for the file is no directory."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a directory")
        self.path = path
        self.remedy = "name a directory; it is made if it does not exist"


class CannotWrite(CrossfadeError):
    """The system refused to write."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} cannot be written: {reason}")
        self.path = path
        self.remedy = "make room or change the permissions of the directory, or name another"


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="Where the file is written; made if it does not exist.")
    ] = Path(),
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Write a commented migration file to start from. A file that exists is never overwritten.

    Exit code 0: written; 1: the system refused; 2: there is a file already, or DIR is no directory.

    Example: crossfade init my-migration
    """
    path = directory / FILE_NAME
    try:
        write_new(path, TEMPLATE)
    except CrossfadeError as failure:
        complain(failure)
        if json:
            answer({"file": str(path), "written": False})
        raise typer.Exit(Exit.FAILED if isinstance(failure, CannotWrite) else Exit.BAD_INPUT) from failure
    people.print(Text.assemble(("✓ ", "green"), f"wrote {path}"), soft_wrap=True)
    people.print(Text(f"  next: crossfade check {path}"), soft_wrap=True)
    if json:
        answer({"file": str(path), "written": True})


def write_new(path: Path, text: str) -> None:
    """`path` holds `text`, whole, on disk; or nothing was changed.

    Raises `FileExists`, `NotADirectory` or `CannotWrite`.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with draft.open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            # A link, unlike a rename, refuses to take the place of another file.
            path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)
        settle(path.parent)
    except FileExistsError as exc:
        raise NotADirectory(path.parent) if not path.parent.is_dir() else FileExists(path) from exc
    except NotADirectoryError as exc:
        raise NotADirectory(path.parent) from exc
    except (OSError, ValueError) as exc:
        raise CannotWrite(path, getattr(exc, "strerror", None) or str(exc)) from exc
