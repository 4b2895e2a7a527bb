"""Applications that are written down: in columns, in records, in dependencies, and in tags."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from crossfade.planning.applications.records import Basis, Certainty, Member
from crossfade.planning.applications.tags import tagged
from crossfade.planning.inventory.records import Application, Inventory, Server


@dataclass(slots=True)
class ToldApplications:
    """`names` by their casefolded form; `members` by name, each server once, by the strongest reason."""

    names: dict[str, str] = field(default_factory=dict)
    members: dict[str, dict[str, Member]] = field(default_factory=dict)
    records: dict[str, Application] = field(default_factory=dict)

    def name(self, told: str) -> str:
        """One application, however its name is capitalised: as it was told first."""
        name = self.names.setdefault(told.casefold(), told)
        self.members.setdefault(name, {})
        return name

    def add(self, application: str, member: Member) -> None:
        self.members[self.name(application)].setdefault(member.server, member)


def told_applications(inventory: Inventory) -> ToldApplications:
    """Everything that names an application. Tags count for servers of which nothing else names one."""
    told = ToldApplications()
    for application in sorted(inventory.applications, key=lambda each: each.name):
        told.records[told.name(application.name)] = application
    ends = (end for each in inventory.dependencies for end in (each.source, each.destination))
    for name in sorted({end.application for end in ends if end.application}):
        told.name(name)
    for name, server, reason in (*_of_servers(inventory), *_of_records(inventory)):
        told.add(name, Member(server=server, basis=Basis.TOLD, certainty=Certainty.TOLD, reason=reason))
    placed = {server for members in told.members.values() for server in members}
    for record in sorted(inventory.servers, key=lambda each: each.name):
        found = tagged(record.tags) if record.name not in placed else None
        if found is not None:
            tag, name = found
            reason = f"its tag {tag} says so"
            told.add(name, Member(server=record.name, basis=Basis.TAG, certainty=Certainty.TOLD, reason=reason))
    return told


def _of_servers(inventory: Inventory) -> Iterator[tuple[str, str, str]]:
    """Application, server and what says so: columns of servers."""
    for server in sorted(inventory.servers, key=lambda each: each.name):
        for name in server.applications:
            yield name, server.name, f"its record names the application{_place(server)}"


def _of_records(inventory: Inventory) -> Iterator[tuple[str, str, str]]:
    """Application, server and what says so: records of applications, of databases, of dependencies."""
    known = {server.name for server in inventory.servers}
    told = [
        (application.name, name, f"the application's record names it{_place(application)}")
        for application in sorted(inventory.applications, key=lambda each: each.name)
        for name in application.servers
    ]
    told += [
        (database.application, database.server, f"it runs the database {database.name} of the application")
        for database in sorted(inventory.databases, key=lambda each: (each.name, each.server or ""))
        if database.application and database.server
    ]
    told += [
        (end.application, end.server, "a dependency names it together with the application")
        for dependency in inventory.dependencies
        for end in (dependency.source, dependency.destination)
        if end.application and end.server
    ]
    return (claim for claim in told if claim[1] in known)


def _place(record: Server | Application) -> str:
    return f" ({record.places[0]})" if record.places else ""
