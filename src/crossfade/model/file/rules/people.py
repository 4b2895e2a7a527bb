"""Rules of approvals, notices, plan and rehearsal."""

from collections.abc import Iterator

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.rules.finding import Finding, unique

_PORTS_NEEDED = 64


def approvals(file: MigrationFile) -> Iterator[Finding]:
    """A phase is approved once, by people who are enough."""
    yield from unique(("approvals",), "phase", (approval.phase for approval in file.approvals))
    for i, approval in enumerate(file.approvals):
        if approval.by and approval.count > len(set(approval.by)):
            yield Finding(
                places=(("approvals", i, "count"), ("approvals", i, "by")),
                problem=f"{approval.count} is more than the {len(set(approval.by))} who may approve",
                remedy="name more people, or ask fewer",
            )


def notices(file: MigrationFile) -> Iterator[Finding]:
    """A webhook has one address, and no password crosses a network in the clear."""
    path = ("notifications", "webhooks")
    yield from unique(path, "name", (hook.name for hook in file.notifications.webhooks))
    for i, hook in enumerate(file.notifications.webhooks):
        if (hook.url is None) == (hook.url_secret is None):
            yield Finding(
                places=((*path, i), (*path, i, "url"), (*path, i, "url_secret")),
                problem="needs one of url and url_secret",
                remedy="give url, or url_secret when the address itself is a secret",
            )
    for i, email in enumerate(file.notifications.email):
        if email.credentials and not email.starttls and email.host not in {"localhost", "127.0.0.1"}:
            yield Finding(
                places=(("notifications", "email", i, "starttls"), ("notifications", "email", i, "credentials")),
                problem="sends the password unencrypted",
                remedy="set starttls: true",
            )


def dates(file: MigrationFile) -> Iterator[Finding]:
    """Times run forward."""
    planning = file.planning
    if planning.start and planning.deadline and planning.deadline < planning.start:
        yield Finding(
            places=(("planning", "deadline"), ("planning", "start")),
            problem=f"the deadline {planning.deadline} is before the start {planning.start}",
            remedy="set a later deadline",
        )
    for i, blackout in enumerate(planning.blackouts):
        path = ("planning", "blackouts", i)
        if blackout.last < blackout.first:
            yield Finding(
                places=((*path, "last"), (*path, "first")),
                problem=f"{blackout.last} is before the first day, {blackout.first}",
                remedy="exchange the two",
            )
    yield from unique(("planning", "teams"), "name", (team.name for team in planning.teams))
    yield from unique(
        ("planning", "decision", "options"), "name", (option.name for option in planning.decision.options)
    )
    for i, option in enumerate(planning.decision.options):
        missing = sorted(set(planning.decision.weights) - set(option.scores))
        if missing:
            yield Finding(
                places=(("planning", "decision", "options", i, "scores"), ("planning", "decision", "weights")),
                problem=f"has no score for {', '.join(missing)}",
                remedy="score every weighted factor",
            )


def ports(file: MigrationFile) -> Iterator[Finding]:
    """The range has room, and no port is given twice."""
    chosen, path = file.rehearsal.ports, ("rehearsal", "ports")
    if chosen.last - chosen.first + 1 < _PORTS_NEEDED:
        yield Finding(
            places=((*path, "last"), (*path, "first")),
            problem=f"{chosen.first} to {chosen.last} are fewer than {_PORTS_NEEDED} ports",
            remedy="set first lower or last higher",
        )
    given: dict[int, str] = {}
    for name in ("router", "source_database", "target_database"):
        port = getattr(chosen, name)
        if port is not None and given.setdefault(port, name) != name:
            yield Finding(
                places=((*path, name), (*path, given[port])),
                problem=f"{port} is also that of {given[port]}",
                remedy="choose another, or leave it out for a free one",
            )


ALL = (approvals, notices, dates, ports)
