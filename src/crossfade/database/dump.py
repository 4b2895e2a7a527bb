"""The source's schema as an archive of pg_dump, and chosen entries of it as SQL."""

import itertools
import os
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from crossfade.database.errors import SchemaNotCopied

_SECONDS = 600
_ENTRY = re.compile(r"^(?P<number>\d+); (?P<catalog>\d+) (?P<oid>\d+) (?P<rest>.+)$")
_NEEDS = re.compile(r"^;\s+depends on: (?P<numbers>[\d ]+)$")
_lists = itertools.count(1)
# `\restrict` guards psql against hostile dumps; we send the text to the server, which knows no such command
_PSQL_ONLY = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of an archive's table of contents, by its `number` there.

    `catalog` and `oid` are the source's; 0 where there is none. `rest` begins with the kind of object.
    """

    line: str
    number: int
    catalog: int
    oid: int
    rest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A schema-only dump in `file`, made by the programs in `programs`."""

    file: Path
    programs: Path

    def entries(self, section: str) -> tuple[Entry, ...]:
        """The entries of `pre-data` or `post-data`, in the order in which they can be restored."""
        listed = _run([self._program("pg_restore"), "--list", f"--section={section}", str(self.file)])
        found = (_ENTRY.match(line) for line in listed.splitlines())
        return tuple(
            Entry(
                line=m.group(0),
                number=int(m["number"]),
                catalog=int(m["catalog"]),
                oid=int(m["oid"]),
                rest=m["rest"],
            )
            for m in found
            if m
        )

    def needs(self) -> dict[int, frozenset[int]]:
        """By number, the entries that must stand before each, of both sections."""
        found: dict[int, frozenset[int]] = {}
        number = 0
        for line in _run([self._program("pg_restore"), "--list", "--verbose", str(self.file)]).splitlines():
            if entry := _ENTRY.match(line):
                number = int(entry["number"])
            elif needed := _NEEDS.match(line):
                found[number] = frozenset(map(int, needed["numbers"].split()))
        return found

    def sql(self, entries: Iterable[Entry]) -> str:
        """What makes these entries, ready to be sent to a server. Several threads may ask at once."""
        chosen = self.file.with_suffix(f".{next(_lists)}.list")
        chosen.write_text("".join(entry.line + "\n" for entry in entries), encoding="utf-8")
        return _PSQL_ONLY.sub(
            "", _run([self._program("pg_restore"), f"--use-list={chosen}", "--file=-", str(self.file)])
        )

    def _program(self, name: str) -> str:
        return str(self.programs / name)


def take(dsn: str, schemas: Sequence[str], programs: Path, file: Path) -> Archive:
    """Dump the definitions (never rows) of these schemas. Raises `SchemaNotCopied`."""
    parts = conninfo_to_dict(dsn)
    password = parts.pop("password", None)  # in the arguments every user of the machine could read it
    argv = [str(programs / "pg_dump"), "--format=custom", "--schema-only", f"--file={file}"]
    argv += ["--no-publications", "--no-subscriptions", "--no-tablespaces", "--lock-wait-timeout=10s"]
    argv += [f'--schema="{schema}"' for schema in schemas]
    argv.append(
        "--dbname=" + make_conninfo("", **{key: str(value) for key, value in parts.items() if value is not None})
    )
    _run(argv, {"PGPASSWORD": str(password)} if password is not None else {})
    return Archive(file=file, programs=programs)


def _run(argv: Sequence[str], secrets: dict[str, str] | None = None) -> str:
    program = Path(argv[0]).name
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=_SECONDS, env=os.environ | (secrets or {})
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SchemaNotCopied(program, str(exc).splitlines()[0]) from exc
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error:" in line] or done.stderr.splitlines()[-1:]
        raise SchemaNotCopied(program, lines[0] if lines else f"it ended with {done.returncode}")
    return done.stdout
