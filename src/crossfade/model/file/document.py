"""The migration file as a whole: one document from which everything is planned, built, carried out and proven."""

from itertools import islice
from typing import Literal

from crossfade.model.file.checks import Bake, Checks
from crossfade.model.file.connectivity import Connectivity
from crossfade.model.file.database import Database, Verification
from crossfade.model.file.kubernetes import Kubernetes
from crossfade.model.file.limits import Limits, Metrics
from crossfade.model.file.people import Approval, Notifications
from crossfade.model.file.planning import Planning
from crossfade.model.file.rehearsal import Rehearsal
from crossfade.model.file.section import Section
from crossfade.model.file.servers import Files, Servers
from crossfade.model.file.services import AwsTools, Events, Facade, Orchestration, Posture
from crossfade.model.file.shadow import Shadow
from crossfade.model.file.site import Environment, Migration, Source, Target
from crossfade.model.file.traffic import Traffic
from crossfade.model.terms import Phase


class MigrationFile(Section):
    """One file describes a migration, from the data center to AWS and back if it must be.

    Only `load` also keeps the rules between values; a file made otherwise is sound value by value.
    """

    version: Literal[1]
    """Version of this format: 1."""
    migration: Migration
    """What it is called and whose it is."""
    environment: Environment
    """Where the AWS side is built and how it is named."""
    source: Source
    """The data center."""
    target: Target = Target()
    """The landing ground on AWS."""
    servers: Servers
    """The application servers."""
    database: Database
    """The database and its switch."""
    files: Files = Files()
    """File shares."""
    connectivity: Connectivity = Connectivity()
    """The link between the sites."""
    traffic: Traffic = Traffic()
    """How users move."""
    limits: Limits = Limits()
    """When a rollout is too bad, and when it is good enough."""
    metrics: Metrics = Metrics()
    """Where the numbers come from."""
    shadow: Shadow = Shadow()
    """Shadow testing."""
    verification: Verification = Verification()
    """Source against target, row by row."""
    checks: Checks = Checks()
    """Health, connectivity, services."""
    bake: Bake = Bake()
    """After cutover."""
    approvals: tuple[Approval, ...] = (Approval(phase=Phase.CUTOVER), Approval(phase=Phase.FINALIZE))
    """Phases that people must approve; `cutover` and `finalize` by default. `[]` asks nobody."""
    notifications: Notifications = Notifications()
    """Who is told."""
    posture: Posture = Posture()
    """Security that must be seen before cutover."""
    planning: Planning = Planning()
    """What the plan must keep to."""
    events: Events = Events()
    """Journal, tracking, and who gets the events."""
    orchestration: Orchestration = Orchestration()
    """How the engine looks and acts."""
    aws_tools: AwsTools = AwsTools()
    """AWS's own migration services."""
    facade: Facade = Facade()
    """The strangler facade."""
    kubernetes: Kubernetes = Kubernetes()
    """Manifests for Argo Rollouts."""
    rehearsal: Rehearsal = Rehearsal()
    """The data center on this computer."""

    def server_names(self) -> tuple[str, ...]:
        """A different name for each of the `servers.count` servers: the given ones first, the others `server-01` …"""
        given = [server.name for server in self.source.servers][: self.servers.count]
        taken = {name.lower() for name in given}
        numbered = (f"server-{number:02}" for number in range(1, len(given) + self.servers.count + 1))
        free = (name for name in numbered if name not in taken)
        return (*given, *islice(free, self.servers.count - len(given)))

    def approval(self, phase: Phase) -> Approval | None:
        """The approval that `phase` needs, if any."""
        return next((approval for approval in self.approvals if approval.phase is phase), None)
