"""Factors of what an application runs on: systems, engines, licences. Each takes its facts and the day of asking."""

from collections import Counter
from datetime import date, timedelta

from crossfade.planning.readiness.facts import Facts
from crossfade.planning.readiness.records import Finding
from crossfade.planning.readiness.support import OnAws, SystemFound, database_of, release_of, system_of

SOON = timedelta(days=365)  # less than the time that a migration and the next upgrade take
_SUPPORTED, _SOON, _ENDED, _NOT_ON_EC2 = 100.0, 60.0, 20.0, 0.0
_ENGINES = {OnAws.MANAGED: 100.0, OnAws.COMPATIBLE: 50.0, OnAws.NONE: 20.0}
_LICENCES = {"Red Hat": 80.0, "SUSE": 80.0, "Microsoft": 60.0, "IBM": 40.0, "Oracle": 30.0}
"""Red Hat, SUSE and Windows come with the instance's price; SQL Server too, at a price that has to be looked at; Oracle
counts cores in the cloud its own way. Source: AWS Prescriptive Guidance on licensing; Oracle, Licensing Oracle Software
in the Cloud Computing Environment.
"""


def operating_system(facts: Facts, on: date) -> Finding:
    """The mean over servers whose release and its date are known; what ended support counts 20, what EC2 lacks 0."""
    points, said = [], Counter[str]()
    for server in facts.servers:
        found = system_of(server.operating_system or "", server.os_version)
        judged = None if found is None else _support(found, on)
        said[judged[1] if judged else f"{server.operating_system or 'not told'}: not known"] += 1
        points += [judged[0]] if judged else []
    return Finding(
        value="; ".join(f"{count} × {what}" for what, count in sorted(said.items())) or "no server known",
        reason="support of each server's operating system on that day, without extended support that is paid apart",
        points=sum(points) / len(points) if points else None,
        known=_part(len(points), len(facts.servers)),
        remedy="" if len(points) == len(facts.servers) else "tell release and version of each server's system",
    )


def _support(found: SystemFound, on: date) -> tuple[float, str] | None:
    name = f"{found.system.product} {found.release}".strip()
    if not found.system.runs_on_ec2:
        return _NOT_ON_EC2, f"{name}, which does not run on EC2"
    if found.until is None:
        return None
    return _until(name, found.until, on)


def _until(name: str, until: date, on: date) -> tuple[float, str]:
    if until < on:
        return _ENDED, f"{name}, support ended {until}"
    if until < on + SOON:
        return _SOON, f"{name}, support ends {until}"
    return _SUPPORTED, f"{name}, supported until {until}"


def database_engine(facts: Facts, _: date) -> Finding:
    """The hardest engine counts. Where processes of servers are known and none is a database's, there is none."""
    reason = "whether AWS runs the same engine as a service (100), one that speaks its protocol (50), or neither (20)"
    if not facts.databases:
        return _without_database(facts, reason)
    points, said = [], []
    for engine in sorted({each.engine or "" for each in facts.databases}):
        known = database_of(engine) if engine else None
        said.append(f"{engine or 'not told'}{f' ({known.on_aws})' if known else ': not known'}")
        points += [_ENGINES[known.on_aws]] if known else []
    return Finding(
        value=", ".join(said),
        reason=reason,
        points=min(points, default=None),
        known=_part(len(points), len(said)),
        remedy="" if len(points) == len(said) else "tell the engine of each database",
    )


def database_version(facts: Facts, on: date) -> Finding:
    """The oldest counts."""
    reason = "support of each database's release on that day, without extended support that is paid apart"
    if not facts.databases:
        return _without_database(facts, reason)
    points, said = [], []
    for each in sorted(facts.databases, key=lambda database: (database.name, database.version or "")):
        known = database_of(each.engine or "")
        found = release_of(known, each.version) if known and each.version else None
        if known is None or found is None:
            said.append(f"{each.name}: version not known")
            continue
        judged, words = _until(f"{known.engine} {found[0]}", found[1], on)
        points.append(judged)
        said.append(f"{each.name}: {words}")
    return Finding(
        value="; ".join(said),
        reason=reason,
        points=min(points, default=None),
        known=_part(len(points), len(facts.databases)),
        remedy="" if len(points) == len(facts.databases) else "tell the version of each database",
    )


def licences(facts: Facts, _: date) -> Finding:
    """The hardest licence counts, of systems and engines; known for the servers whose system is."""
    found = [system_of(server.operating_system or "", server.os_version) for server in facts.servers]
    systems = [each.system.licence for each in found if each is not None]
    engines = [database_of(each.engine or "") for each in facts.databases]
    held = {licence for licence in [*systems, *(each.licence for each in engines if each)] if licence}
    seen = bool(systems or any(engines))
    value = ", ".join(sorted(held)) if held else "none that has to be carried over" if seen else "not known"
    return Finding(
        value=value,
        reason="licences of systems and engines that have to be carried over or bought with the instance",
        points=min((_LICENCES[licence] for licence in held), default=100.0) if seen else None,
        known=_part(len(systems), len(facts.servers)) if facts.servers else float(seen),
        remedy="" if len(systems) == len(facts.servers) else "tell release and version of each server's system",
    )


def _without_database(facts: Facts, reason: str) -> Finding:
    told = sum(bool(server.processes) for server in facts.servers)
    if told:
        value = "no database among the processes that are known"
        return Finding(value=value, reason=reason, points=100.0, known=_part(told, len(facts.servers)))
    remedy = "tell databases, or processes of the servers"
    return Finding(value="not known", reason=reason, points=None, known=0.0, remedy=remedy)


def _part(known: int, of: int) -> float:
    return known / of if of else 0.0
