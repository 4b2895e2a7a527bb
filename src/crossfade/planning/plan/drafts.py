"""The migration file by which each planned application is carried out: the given one, or one that is drafted.

A draft has what is known and leaves out what is not, so `crossfade check` names exactly what a person must add.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import yaml

from crossfade.model.file import MigrationFile, load
from crossfade.model.file.quantities import size_text
from crossfade.model.file.tree import Tree
from crossfade.planning.inventory.records import Database
from crossfade.planning.plan.movers import Mover
from crossfade.planning.plan.records import Draft, MigrationRef
from crossfade.planning.waves import Plan

FOLDER = "migrations"
_MIB = 2**20
_SHARED = ("connectivity", "limits", "approvals", "notifications", "bake", "verification", "posture", "orchestration")
"""Sections of the given file that say how people migrate, and nothing of one application."""
_WHEN = ("windows", "time_zone", "blackouts", "contacts")
_HEAD = """\
# {name}, wave {wave} on {day}: drafted by `crossfade plan` from what the inventory tells.
# `crossfade check` names what is still missing. Each migration builds its own network and resources: give each
# environment a suffix and, where they are to talk on AWS, a network of its own (target.cidr).
"""


def refs(
    movers: Sequence[Mover], file: MigrationFile | None, file_name: str, drafted: Mapping[str, Draft]
) -> dict[str, MigrationRef]:
    """By application. Those without a PostgreSQL database are in it only when the given file describes them."""
    found = {
        name: MigrationRef(path=draft.path, given=False, missing=_missing(draft.text))
        for name, draft in drafted.items()
    }
    if file is not None:
        for mover in movers:
            if _is_own(mover, file):
                found[mover.name] = MigrationRef(path=file_name, given=True, missing={})
    return found


def drafts(movers: Sequence[Mover], file: MigrationFile | None, tree: Tree, plan: Plan) -> dict[str, Draft]:
    """By application. A draft's path hangs on its application alone, not on its wave: people keep and edit it."""
    placed = {placement.item: placement for placement in plan.placements}
    base = tree.data if file is not None else {}
    taken: set[str] = set()
    found = {}
    for mover in movers:
        database = _database(mover)
        if database is None or (file is not None and _is_own(mover, file)):
            continue
        slug, placement = _slug(mover.name, taken), placed[mover.name]
        content = _content(mover, database, slug, base, placement.day)
        head = _HEAD.format(name=_in_a_comment(mover.name), wave=placement.wave, day=placement.day)
        body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=120)
        found[mover.name] = Draft(path=f"{FOLDER}/{slug}.yaml", text=f"{head}\n{body}")
    return found


def _is_own(mover: Mover, file: MigrationFile) -> bool:
    return mover.name.casefold() == file.migration.name.casefold()


def _database(mover: Mover) -> Database | None:
    """The application's PostgreSQL database; of several, none can be chosen for people."""
    found = [each for each in mover.databases if "postgres" in (each.engine or "").casefold()]
    return found[0] if len(found) == 1 else None


def _content(mover: Mover, database: Database, slug: str, base: Mapping[str, Any], day: date) -> dict[str, Any]:
    environment = dict(base.get("environment") or {})
    source = {key: value for key, value in (base.get("source") or {}).items() if key in {"name", "cidr"}}
    planning = {key: value for key, value in (base.get("planning") or {}).items() if key in _WHEN}
    owner = mover.application.owner
    content: dict[str, Any] = {
        "version": 1,
        "migration": {"name": slug} | ({"owner": owner} if owner else {}),
        "environment": environment | {"suffix": _suffix(environment.get("suffix"), slug)},
        "source": source | {"servers": [_server(mover, n) for n in range(len(mover.servers))]},
        "servers": {"count": max(1, len(mover.servers))},
        "database": _database_section(mover, database),
    }
    content |= {key: base[key] for key in _SHARED if key in base}
    traffic = {key: value for key, value in (base.get("traffic") or {}).items() if key != "dns"}
    content |= {"traffic": traffic} if traffic else {}
    shares = [_share(each.name, each.path, each.size_mib) for each in mover.files if each.path and each.size_mib]
    content |= {"files": {"shares": shares}} if shares else {}
    return content | {"planning": {"start": day.isoformat()} | planning}


def _server(mover: Mover, place: int) -> dict[str, Any]:
    server = mover.servers[place]
    address = next((each for each in server.addresses if re.fullmatch(r"[0-9.]+", each)), None)
    told = {"address": address, "operating_system": server.operating_system}
    return {"name": server.name} | {key: value for key, value in told.items() if value}


def _database_section(mover: Mover, database: Database) -> dict[str, Any]:
    """`application_roles` are known to the database's owner alone."""
    section: dict[str, Any] = {"name": database.name}
    if database.size_mib:
        section["size"] = size_text(database.size_mib * _MIB)
    major = re.match(r"\d+", database.version or "")
    host = {"host": database.server} if database.server in {server.name for server in mover.servers} else {}
    source = ({"version": int(major[0])} if major else {}) | host
    return section | ({"source": source} if source else {})


def _share(name: str, path: str | None, size_mib: int | None) -> dict[str, Any]:
    return {"name": _plain(name), "path": path, "size": size_text((size_mib or 0) * _MIB)}


def _slug(name: str, taken: set[str]) -> str:
    """A name that the file allows, each once."""
    plain = _plain(name)[:34].rstrip("-")
    slug, number = plain, 2
    while slug in taken:
        slug, number = f"{plain}-{number}", number + 1
    taken.add(slug)
    return slug


def _plain(name: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")
    return plain if re.match(r"[a-z]", plain) else f"application-{plain}".rstrip("-")


def _suffix(given: object, slug: str) -> str:
    """Resources are named by it: two migrations in one account must not share one."""
    return f"{given}-{slug}"[:40].rstrip("-") if isinstance(given, str) else slug[:40].rstrip("-")


def _in_a_comment(name: str) -> str:
    return "".join(letter if letter.isprintable() else "·" for letter in name)


def _missing(text: str) -> dict[str, str]:
    """What `crossfade check` says of the draft, by path."""
    found = load(text, "draft")
    if isinstance(found, MigrationFile):
        return {}
    return {fault.path: f"{fault.problem}; {fault.remedy}" for fault in found}
