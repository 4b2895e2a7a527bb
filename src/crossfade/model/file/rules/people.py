"""Rules of approvals, notices, plan and rehearsal."""

from collections.abc import Iterator

from crossfade.model.file.document import MigrationFile
from crossfade.model.file.planning import ReadinessFactor
from crossfade.model.file.rules.finding import Finding, unique
from crossfade.model.file.rules.traffic import ladder_rises
from crossfade.model.terms import Phase

_PORTS_NEEDED = 64


def approvals(file: MigrationFile) -> Iterator[Finding]:
    """A phase, or a share of the ladder, is approved once, by people who are enough."""
    whole = (None if approval.before_share else approval.phase for approval in file.approvals)
    yield from unique(("approvals",), "phase", whole)
    yield from unique(("approvals",), "before_share", (approval.before_share for approval in file.approvals))
    yield from _shares(file)
    for i, approval in enumerate(file.approvals):
        if approval.by and approval.count > len(set(approval.by)):
            yield Finding(
                places=(("approvals", i, "count"), ("approvals", i, "by")),
                problem=f"{approval.count} is more than the {len(set(approval.by))} who may approve",
                remedy="name more people, or ask fewer",
            )


def _shares(file: MigrationFile) -> Iterator[Finding]:
    """Shares belong to the phase that has them, and to the ladder."""
    ladder_is_sound = not any(ladder_rises(file))
    shares = [step.percent for step in file.traffic.steps() if step.percent > 0] if ladder_is_sound else []
    for i, approval in enumerate(file.approvals):
        place, share = ("approvals", i, "before_share"), approval.before_share
        if share is None:
            continue
        if approval.phase is not Phase.CANARY:
            yield Finding(
                places=(place, ("approvals", i, "phase")),
                problem=f"{approval.phase} moves no users",
                remedy="write phase: canary, or leave before_share out",
            )
        elif ladder_is_sound and share not in shares:
            yield Finding(
                places=(place, ("traffic", "ladder"), ("traffic", "strategy")),
                problem=f"{share:g} is no share that users move to",
                remedy=f"name one of {', '.join(f'{one:g}' for one in shares)}",
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


def readiness(file: MigrationFile) -> Iterator[Finding]:
    """Weights are of factors that there are, and not all 0."""
    weights, path = file.planning.readiness_weights, ("planning", "readiness_weights")
    known = [str(factor) for factor in ReadinessFactor]
    for name in sorted(set(weights) - set(known)):
        yield Finding(
            places=((*path, name),), problem="is no factor of readiness", remedy=f"use one of {', '.join(known)}"
        )
    if set(weights) >= set(known) and not any(weights.values()):
        yield Finding(places=(path,), problem="weighs nothing", remedy="give at least one factor a weight above 0")


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


ALL = (approvals, notices, dates, readiness, ports)
