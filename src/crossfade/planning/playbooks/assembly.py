"""The playbooks of one migration file: chapters from the runbook, a card for each step, and what is around."""

from crossfade.model.file import MigrationFile
from crossfade.model.file.database import TargetEngine
from crossfade.model.file.traffic import RouterEngine
from crossfade.model.plan import Plan
from crossfade.model.terms import Phase, Side
from crossfade.planning.playbooks import database, gone, router, statements, surroundings
from crossfade.planning.playbooks.cards import card_of
from crossfade.planning.playbooks.causes import triggers
from crossfade.planning.playbooks.driving import LooksAt
from crossfade.planning.playbooks.records import Card, Command, Landing, Part, Playbooks
from crossfade.planning.playbooks.retreats import Chapter, Stage, Way, chapters, tries
from crossfade.planning.playbooks.site import Site, literal, shell
from crossfade.report.units import say_percent

_NOTES = (
    """Crossfade's engine carries out rehearsals today, and not yet a migration on AWS. What is said here of the engine
    is what its runbook does; commands of AWS are for what `crossfade deploy` has built, and have not been tried
    against an account.""",
    """The statements for PostgreSQL are for native logical replication by a role that is a superuser on both sides.
    RDS and Aurora give none: there they were not tried.""",
    "No password stands here. Name the role with PGUSER and keep its password in a file that PGPASSFILE names.",
)


def playbooks(file: MigrationFile, plan: Plan, landing: Landing, looks_at: LooksAt) -> Playbooks:
    """Everything that the runbook may ask for on a way back, at every stage of `file`. The same input, the same result.

    `plan` is what the file resolves to. `looks_at` names what an engine asks for in a state of the runbook.
    """
    told = chapters(plan, looks_at)
    ways = [chapter for chapter in told if chapter.retreat.way is not Way.NONE]
    site = Site(file=file, landing=landing, tries=tries(ways[0]))
    cards: dict[str, Card] = {}
    parts: list[Part] = []
    for chapter in told:
        wanted = [card_of(step.what, site) for step in chapter.retreat.steps]
        cards |= {card.key: card for card in wanted}
        parts.append(_part(len(parts) + 1, chapter, [card.key for card in wanted]))
    return Playbooks(
        migration=file.migration.name,
        owner=file.migration.owner,
        begin=_begin(site),
        first_minutes=_first_minutes(),
        parts=tuple(parts),
        cards=cards,
        beside=(surroundings.network(site), *router.cluster(site)),
        gone=gone.procedures(site),
        afterwards=_afterwards(cards),
        contacts=tuple(file.planning.contacts.items()),
        told=_told(file),
        root_cause=_root_cause(site),
        notes=tuple(" ".join(note.split()) for note in _NOTES),
    )


def stage_name(stage: Stage) -> str:
    """A stage as people call it."""
    if stage.unsettled is not None:
        return f"{stage.phase}, the switch broke off: {stage.unsettled}"
    if stage.phase is Phase.CANARY and stage.share is not None:
        return f"canary at {say_percent(stage.share)}"
    if stage.phase is Phase.CUTOVER:
        return "cutover, after the switch" if stage.writer is Side.TARGET else "cutover, before the switch"
    if stage.phase is Phase.FINALIZE:
        return "finalize, before the point of no return" if stage.returns else "finalize, after the point of no return"
    return str(stage.phase)


def _part(number: int, chapter: Chapter, steps: list[str]) -> Part:
    names = [stage_name(stage) for stage in chapter.stages]
    shares = [name for name in names if name.startswith("canary at ")]
    if len(shares) > 1:  # the list of all of them stands below the title
        named = [f"{shares[0]} to {shares[-1].removeprefix('canary at ')}"]
        names = [*named, *(name for name in names if name not in shares)]
    return Part(
        key=f"part-{number}",
        title=f"{chapter.retreat.way}: {'; '.join(names)}",
        chapter=chapter,
        triggers=() if chapter.stages[0].unsettled else triggers(chapter.places),
        steps=tuple(steps),
    )


def _begin(site: Site) -> tuple[Command, ...]:
    """Variables of the shell that the other commands use."""
    file, source = site.file, site.file.database.source
    name = file.database.name.replace("$", r"\$")  # within double quotes
    aurora = file.database.target.engine is TargetEngine.AURORA
    verb, field = ("describe-db-clusters", "Clusters") if aurora else ("describe-db-instances", "Instances")
    which = "cluster" if aurora else "instance"
    endpoint = f"DB{field}[0].Endpoint" + ("" if aurora else ".Address")
    zone = f"HostedZones[?Name=={literal(f'{site.landing.zone}.')}].Id | [0]"
    host = shell(source.host) if source.host else "$SOURCE_HOST"
    tls = file.database.target.tls
    found = [
        Command(
            says="The migration, as `crossfade status` lists it",
            text=f"export MIGRATION={file.migration.name}-3f2a",
        ),
        Command(says="The region", text=f"export AWS_DEFAULT_REGION={shell(file.environment.region)}"),
        Command(
            says="The source; without a password, and as the role that PGUSER names",
            text=f'export SOURCE="host={host} port={source.port} dbname={name} sslmode={source.tls}"',
        ),
        Command(
            says="Where the target is",
            text=f"TARGET_HOST=$(aws rds {verb} --db-{which}-identifier {shell(site.landing.database)}"
            f" --query '{endpoint}' --output text)",
        ),
        Command(says="The target", text=f'export TARGET="host=$TARGET_HOST port=5432 dbname={name} sslmode={tls}"'),
    ]
    if file.traffic.router is RouterEngine.ROUTE53:
        found.append(
            Command(
                says="The private zone",
                text=f"ZONE=$(aws route53 list-hosted-zones-by-name --dns-name {shell(site.landing.zone)}"
                f" --query '{zone}' --output text)",
            )
        )
    if file.traffic.router is RouterEngine.ENVOY:
        found.append(Command(says="Envoy's admin address", text="export ROUTER_ADMIN=http://127.0.0.1:9901"))
        found.append(
            Command(says="The folder whose link Envoy watches", text="export ROUTER_RUNTIME=/var/lib/envoy/runtime")
        )
    return tuple(found)


def _first_minutes() -> tuple[Command, ...]:
    return (
        Command(
            says="Where it stands: phase, share, writer, and whether it can return",
            text='crossfade status "$MIGRATION"',
            prints="…, phase …, course forward, canary percent …, writer …, can return True, outcome None",
        ),
        *(
            statements.writer(side, f"The {side}'s own word; exactly one side says t", prints=f"{side}|t or f|…")
            for side in Side
        ),
        Command(
            says="The word to go back, with its reason: it stands in the journal, with your name",
            text='crossfade rollback "$MIGRATION" --reason "users cannot pay"',
            prints="✓ rollback is in the journal of …, entry …, by …",
        ),
        Command(
            says="What the engine does about it, line by line",
            text='crossfade watch "$MIGRATION"',
            prints="Rolls back (decided by: person): …",
        ),
        Command(
            says="Only when nothing moves and no engine runs: another takes the migration up where it stands",
            text='crossfade resume "$MIGRATION"',
        ),
    )


def _afterwards(cards: dict[str, Card]) -> tuple[Command, ...]:
    checks = cards["checks-source"].see[1:]
    return (
        *(statements.writer(side, f"The {side}: the source alone says t", prints=f"{side}|…") for side in Side),
        *checks,
        database.verify(live=True),
    )


def _root_cause(site: Site) -> tuple[Command, ...]:
    return (
        Command(
            says="The journal is as it was written, so what follows can be relied on",
            text='crossfade audit "reports/$MIGRATION/journal.sqlite"',
            prints="✓ … events, intact",
        ),
        Command(
            says="What stood last, and why; the report beside the journal has every decision with its figures",
            text='crossfade status "$MIGRATION" --json',
        ),
        Command(
            says="When the alarm that leads users back changed, and for which reason",
            text=f"aws cloudwatch describe-alarm-history --alarm-name {shell(site.landing.alarm)} --max-records 20",
        ),
    )


def _told(file: MigrationFile) -> tuple[tuple[str, str], ...]:
    """Who is told by itself, and of what. Addresses stay in the file."""
    notices = file.notifications
    hooks = [(f"webhook {hook.name}", hook.topics) for hook in notices.webhooks]
    mails = [(f"mail, notifications.email.{number}", mail.topics) for number, mail in enumerate(notices.email)]
    topics = [
        (f"SNS ({one.protocol}), notifications.sns.{number}", one.topics) for number, one in enumerate(notices.sns)
    ]
    return tuple((name, ", ".join(of)) for name, of in (*hooks, *mails, *topics))
