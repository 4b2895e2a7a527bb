"""The roles together: what the engine looks at, and how each end is brought about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Protocol, TypeVar

from crossfade.checks.port import Checks
from crossfade.database.port import Database, SourceWatch, Unwatched
from crossfade.engine.clock import Clock
from crossfade.files.port import Files
from crossfade.metrics.port import Metrics
from crossfade.model import ends
from crossfade.model.ends import End
from crossfade.model.errors import CrossfadeError
from crossfade.model.events import EndMissed, EndReached, Facts
from crossfade.model.seen import NOT_ASKED, Finding, Seen, Severity, SwitchReport, Verification, Writer
from crossfade.model.terms import NEITHER, NoData, Side, Sighting, Suite
from crossfade.network.port import Network
from crossfade.servers.port import Servers
from crossfade.shadowing.port import NothingCollected, ShadowTraffic
from crossfade.traffic.port import Router
from crossfade.verify.port import Verifier

T = TypeVar("T")


class EndNotReached(CrossfadeError):
    """The world was asked and said no: findings, failed checks, differences. `facts` say which."""

    def __init__(self, reason: str, remedy: str, *, retryable: bool, facts: Facts) -> None:
        self.remedy, self.facts = remedy, facts
        self.again = retryable
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """One adapter a role, chosen in bootstrap."""

    database: Database
    router: Router
    metrics: Metrics
    servers: Servers
    files: Files
    network: Network
    checks: Checks
    verifier: Verifier
    source: SourceWatch = field(default_factory=Unwatched)
    shadow: ShadowTraffic = field(default_factory=NothingCollected)


class World(Protocol):
    """All that the engine knows of what is outside. Looking never raises; acting answers with an outcome."""

    def look(self, fields: frozenset[str], writer: Side) -> Seen:
        """What `fields` of `Seen` name, asked of the side that takes writes; the others are NO_DATA."""
        ...

    def bring_about(self, end: End, order: int) -> EndReached | EndMissed:
        """Reach `end`, or say why not. Doing it again once it is reached is harmless.

        `order` is how far the journal was known to whoever asks, with those before it: what somebody asked later
        outweighs it.
        """
        ...


class RolesWorld:
    """The world as the roles show it."""

    def __init__(self, roles: Roles, clock: Clock) -> None:
        self._roles, self._clock = roles, clock

    def look(self, fields: frozenset[str], writer: Side) -> Seen:
        roles = self._roles
        asked: dict[str, Callable[[], Any]] = {
            "arms": roles.metrics.arms,
            "shares": roles.router.shares,
            "drained": lambda: roles.router.drained(Side.TARGET),
            "replication": lambda: roles.database.replication(writer),
            "way_back": lambda: roles.database.way_back(writer),
            "writer": roles.database.writer,
            "servers": roles.servers.states,
            "files": roles.files.state,
            "links": roles.network.links,
            "source": roles.source.health,
            "shadow": roles.shadow.reading,
        }
        sightings = {name: self._sight(ask if name in fields else None) for name, ask in asked.items()}
        return Seen(at=self._clock.now(), **sightings)

    def bring_about(self, end: End, order: int) -> EndReached | EndMissed:
        try:
            return EndReached(end=end, facts=self._act(end, order))
        except EndNotReached as refused:
            return _missed(end, refused, retryable=refused.again, facts=refused.facts)
        except CrossfadeError as failed:
            return _missed(end, failed, retryable=failed.retryable, facts=self._after_failure(end))

    def _sight(self, ask: Callable[[], T | NoData] | None) -> Sighting[T]:
        if ask is None:
            return Sighting(at=self._clock.now(), value=NOT_ASKED)
        at = self._clock.now()
        return Sighting(at=at, value=ask())

    def _act(self, end: End, order: int) -> Facts:  # noqa: C901, PLR0912 - a table of ends, a line each, is clearer than a registry
        roles = self._roles
        database, servers, files, router = roles.database, roles.servers, roles.files, roles.router
        match end:
            case ends.NetworkConnected():
                self._roles.network.connect()
            case ends.PreflightClean():
                return self._preflight()
            case ends.ChecksPassed(suite=suite):
                return self._check(suite)
            case ends.SchemaCreated():
                database.create_schema()
            case ends.ReplicationStarted():
                database.start_replication()
            case ends.SchemaCompleted():
                database.complete_schema()
            case ends.WayBackBuilt():
                database.build_way_back()
            case ends.ServersReplicating():
                servers.replicate()
            case ends.FilesFollow(primary=primary):
                files.follow(primary)
            case ends.TestInstancesRunning():
                servers.launch_test()
            case ends.TestInstancesGone():
                servers.end_test()
            case ends.DataVerified(primary=primary):
                return self._verify(primary)
            case ends.MirrorIs(percent=percent):
                router.mirror(percent, order)
            case ends.CutoverInstancesRunning():
                servers.launch_cutover()
            case ends.CutoverInstancesGone():
                self._end_cutover()
            case ends.SharesAre(canary_percent=percent):
                return {"measured_percent": router.set_shares(percent, order).canary_percent}
            case ends.SwitchPrepared(to=to):
                database.prepare_switch(to)
            case ends.WriterIs(side=side, epoch=epoch):
                return _switch_facts(database.switch(side, epoch))
            case ends.WayBackAwake(primary=primary):
                database.wake_way_back(primary)
            case ends.WayBackEnded():
                database.end_way_back()
            case ends.ServersFinalized():
                servers.finalize()
            case ends.FilesStopped():
                files.stop()
            case ends.SourceRetired():
                servers.retire_source()
            case ends.ReplicationRemoved():
                database.remove_replication()
            case ends.ServersReverted():
                servers.revert()
            case ends.FilesReverted():
                files.revert()
        return {}

    def _preflight(self) -> Facts:
        findings = self._roles.database.preflight()
        blockers = [finding for finding in findings if finding.severity is Severity.BLOCKER]
        if not blockers:
            return _warning_facts(findings)
        facts = {f.subject: f"{f.problem} — {f.remedy}" for f in blockers}
        first = blockers[0]
        reason = f"preflight found {len(blockers)} blockers, first {first.subject}: {first.problem}"
        raise EndNotReached(reason, first.remedy, retryable=False, facts=facts)

    def _check(self, suite: Suite) -> Facts:
        results = self._roles.checks.run(suite)
        failed = [result for result in results if not result.passed]
        if results and not failed:
            return {"checks": len(results)}
        named = ", ".join(f"{result.name} of {result.subject}: {result.detail}" for result in failed[:3])
        reason = f"{len(failed)} of {len(results)} checks of {suite.value.replace('_', ' ')} failed: {named}"
        raise EndNotReached(reason, "See the logs of what failed.", retryable=True, facts={"failed": len(failed)})

    def _end_cutover(self) -> None:
        """Not while users are sent to them, by the router's own word, whoever asks for it and however late."""
        shares, drained = self._roles.router.shares(), self._roles.router.drained(Side.TARGET)
        if isinstance(shares, NoData) or shares.canary_percent != 0 or drained is not True:
            reason = "whether users are still on the modern servers is not known, or they are"
            raise EndNotReached(reason, "See that the router answers and its share is 0 %.", retryable=True, facts={})
        self._roles.servers.end_cutover()

    def _verify(self, primary: Side) -> Facts:
        found = self._roles.verifier.verify(primary)
        if isinstance(found, NoData):
            raise EndNotReached(
                f"could not verify: {found.reason}", "See that both databases answer.", retryable=True, facts={}
            )
        facts = _verification_facts(found)
        if found.differences:
            reason = f"{len(found.differences)} rows differ between source and target"
            remedy = "Compare the rows named; replicate their tables anew."
            if primary is Side.TARGET:
                facts = {**facts, **_age_facts(found)}
                remedy = "Compare the rows named, and mend the side that is wrong."
            raise EndNotReached(reason, remedy, retryable=False, facts=facts)
        if found.unresolved:
            reason = f"{len(found.unresolved)} rows changed too often to be compared"
            raise EndNotReached(reason, "Verify again when they are quieter.", retryable=True, facts=facts)
        return facts

    def _after_failure(self, end: End) -> Facts:
        """Which side takes writes by the databases' own word, `NEITHER`, or None: unknown; after what that decides."""
        if not isinstance(end, ends.WriterIs | ends.ReplicationRemoved):
            return {}
        found = self._roles.database.writer()
        if not isinstance(found, Writer) or (found.source_open and found.target_open):
            return {"writer": None}
        return {"writer": found.side.value if found.side else NEITHER}


def _missed(end: End, failure: CrossfadeError, *, retryable: bool, facts: Facts) -> EndMissed:
    return EndMissed(end=end, reason=str(failure), remedy=failure.remedy, retryable=retryable, facts=facts)


def _switch_facts(report: SwitchReport) -> Facts:
    facts: dict[str, str | int | float | bool | None] = {
        "write_window_ms": round(report.write_window.total_seconds() * 1000, 2),
        "resumed": report.resumed,
    }
    for name, since_fence in report.moments:
        facts[f"{name}_ms"] = round(since_fence.total_seconds() * 1000, 2)
    if report.fenced_at is not None:
        facts["fenced_at"] = report.fenced_at.astimezone(UTC).isoformat()
    return facts


def _warning_facts(findings: Sequence[Finding]) -> Facts:
    """What deserves attention, then what somebody accepted, each with the reason given for it."""
    warned = [f"{one.subject}: {one.problem}" for one in findings if not one.accepted]
    accepted = [f"{one.subject}: {one.problem}; accepted: {one.accepted}" for one in findings if one.accepted]
    return {f"warning {i}": text for i, text in enumerate(warned, start=1)} | {
        f"accepted {i}": text for i, text in enumerate(accepted, start=1)
    }


_NAMED = 100  # differences named in the journal; the count is always complete


def _age_facts(found: Verification) -> Facts:
    """Of how many rows that differ a version is newer than the switch, and of how many that cannot be told."""
    ages = [row.written_since_switch for row in found.differences]
    return {"written_since_switch": ages.count(True), "age_unknown": ages.count(None)}


def _verification_facts(found: Verification) -> Facts:
    facts: dict[str, str | int | float | bool | None] = {
        "tables": found.tables,
        "rows": found.rows,
        "differing_rows": len(found.differences),
        "unresolved": len(found.unresolved),
        "seconds": round(found.duration.total_seconds(), 3),
    }
    for number, row in enumerate(found.differences[:_NAMED], start=1):
        facts[f"difference {number}"] = f"{row.kind} {row.table} {row.key} {','.join(row.columns)}".strip()
    return facts
