"""The one place where adapters are chosen."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from urllib.parse import urlsplit

from crossfade.checks.http import HEALTH, READINESS, SERVICE, HttpChecks, Probe
from crossfade.database.health import PostgresWatch, free_disk_of
from crossfade.database.native import NativeReplication
from crossfade.database.settings import NativeSettings, Reach
from crossfade.engine.again import await_as_left, standing
from crossfade.engine.clock import SteadyClock
from crossfade.engine.engine import Engine
from crossfade.engine.world import Roles, RolesWorld
from crossfade.files.client import FileAgentClient, Patience
from crossfade.infra.errors import ExtraMissing
from crossfade.journal.sqlite import SqliteJournal
from crossfade.metrics.described import business, selectors, target_groups
from crossfade.metrics.envoy import EnvoyMetrics
from crossfade.metrics.errors import MetricsUndescribed
from crossfade.metrics.port import Metrics
from crossfade.metrics.prometheus import PrometheusMetrics
from crossfade.metrics.token import read_token
from crossfade.model.events import Earlier
from crossfade.model.file import MigrationFile, SecretStore
from crossfade.model.file.database import HashMode
from crossfade.model.file.limits import MetricsEngine
from crossfade.model.plan import ReplicationLimits
from crossfade.model.resolve import TRANSFERS, file_interval
from crossfade.model.terms import Side, Suite
from crossfade.network.tcp import POSTGRES_HELLO, TcpNetwork, TcpPath
from crossfade.notify.cursor import FileCursor
from crossfade.notify.dispatch import Dispatcher
from crossfade.notify.feed import FeedInTurn, JournalFeed
from crossfade.notify.mail import MailChannel, MailServer
from crossfade.notify.port import Channel, Topic
from crossfade.notify.secret import is_loopback
from crossfade.notify.selected import SelectedTopics
from crossfade.notify.webhook import WebhookChannel
from crossfade.rehearsal.faults.site_clock import site_clock
from crossfade.rehearsal.layout import Layout
from crossfade.rehearsal.ledger.control import LauncherClient
from crossfade.rehearsal.parts import target_postgres
from crossfade.report.telemetry import append_progress
from crossfade.servers.copied import CopiedServers, Launchers, Places
from crossfade.servers.twin import Twin
from crossfade.shadowing.client import CollectorClient
from crossfade.shadowing.port import NothingCollected
from crossfade.traffic.envoy import EnvoyRouter
from crossfade.verify.live import Settling
from crossfade.verify.load import LoadLimits
from crossfade.verify.postgres import PostgresVerifier, VerifySettings

_LINKS_EVERY = timedelta(seconds=2)
# the rehearsal's own application, whatever the file's is called: `check` says so where they differ
DATABASE, SCHEMA, APPLICATION, OURS = "ledger", "ledger", "ledger_app", "crossfade"


At = Mapping[Side, Callable[[str], None]]


def rehearsal_engine(layout: Layout, file: MigrationFile, *, at: At) -> Engine:
    """The engine of a rehearsal; `at`, by side, is called at each point of a switch to it, which makes that slower."""
    journal = SqliteJournal(layout.journal, must_exist=True)
    entries = journal.read()
    clock = SteadyClock(wall=site_clock(layout.root), not_before=entries[-1].at if entries else None)
    return Engine(
        journal=journal,
        world=RolesWorld(rehearsal_roles(layout, file, at), clock),
        clock=clock,
        watch=lambda progress: append_progress(layout.telemetry, progress),
    )


def rehearsal_roles(layout: Layout, file: MigrationFile, at: At) -> Roles:
    """Real parts on this computer. The engine stands at the target site: it reaches the source through the WAN."""
    ports = layout.ports
    admin = f"http://127.0.0.1:{ports.router_admin}"
    dsns = _admin_dsns(layout)
    return Roles(
        database=NativeReplication(_native_settings(layout, file, dsns), at=at),
        router=EnvoyRouter(admin, layout.router / "runtime"),
        metrics=EnvoyMetrics(admin, business=_counted_by_the_router(file)),
        servers=CopiedServers(
            _twins(layout),
            Places(
                source_servers=layout.site(Side.SOURCE) / "servers",
                target_servers=layout.site(Side.TARGET) / "servers",
                states=layout.root / "servers.json",
            ),
            Launchers(source=_launcher(ports.source_launcher), target=_launcher(ports.target_launcher)),
        ),
        files=FileAgentClient(
            layout.files,
            source=layout.share(Side.SOURCE),
            target=layout.share(Side.TARGET),
            patience=Patience(fresh=Patience().fresh + file_interval(file, layout.speed)),  # it speaks once a round
        ),
        network=TcpNetwork([*_ways_to_databases(layout), *_paths_of_the_link(layout, file)], every=_LINKS_EVERY),
        checks=HttpChecks(_probes(layout)),
        shadow=CollectorClient(f"http://127.0.0.1:{ports.shadow_control}")
        if file.shadow.enabled
        else NothingCollected(),
        source=PostgresWatch(dsns[Side.SOURCE], free_disk_bytes=free_disk_of(layout.site(Side.SOURCE))),
        verifier=PostgresVerifier(
            VerifySettings(
                source=dsns[Side.SOURCE],
                target=dsns[Side.TARGET],
                schemas=(SCHEMA,),
                strict=file.verification.hash is HashMode.TEXT,
                rest_chunk_rows=file.verification.chunk_rows,
                live_chunk_rows=file.verification.chunk_rows_live,
                workers=file.verification.workers,
                limits=_limits_on_load(file),
                settling=Settling(rounds=file.verification.rounds, key_attempts=file.verification.key_attempts_for),
                time_limit=file.verification.time_limit,
            )
        ),
    )


def _limits_on_load(file: MigrationFile) -> LoadLimits:
    share = file.verification.max_share_percent
    return LoadLimits(
        statements_per_second=file.verification.max_statements_per_second,
        share=share / 100 if share is not None else None,
    )


def source_of_counts(file: MigrationFile) -> Metrics:
    """What the file's section `metrics` names. Raises MetricsUndescribed, TokenMissing, or ExtraMissing for boto3."""
    described = file.metrics
    if described.engine is MetricsEngine.CLOUDWATCH:
        return _cloudwatch(file)
    if described.url is None:
        raise MetricsUndescribed("url")
    if described.engine is MetricsEngine.ENVOY:
        arms = described.prometheus
        return EnvoyMetrics(described.url, baseline=arms.baseline, canary=arms.canary)
    token = read_token(described.credentials) if described.credentials else None
    return PrometheusMetrics(described.url, selectors(described), token=token)


def _cloudwatch(file: MigrationFile) -> Metrics:
    if file.metrics.cloudwatch is None:
        raise MetricsUndescribed("cloudwatch")
    try:
        from crossfade.metrics import cloudwatch  # noqa: PLC0415  # needs the optional extra
    except ModuleNotFoundError as missing:
        raise ExtraMissing(missing.name or "boto3") from missing
    client = cloudwatch.connect(file.environment.region)
    return cloudwatch.CloudWatchMetrics(
        client,
        target_groups(file.metrics.cloudwatch),
        business=business(file.metrics),
        users_with_errors=file.metrics.users_with_errors,
    )


def _counted_by_the_router(file: MigrationFile) -> tuple[str, ...]:
    """Of the file's business metrics those that the rehearsal's router counts too: by the name, in its own way."""
    return tuple(metric.name for metric in file.metrics.business if metric.name == TRANSFERS)


def rehearsal_as_left(layout: Layout, file: MigrationFile) -> Callable[[Earlier, ReplicationLimits], None]:
    """What returns when the databases are as a fail back left them, and raises `NotAsLeft` otherwise."""

    def await_fit(after: Earlier, limits: ReplicationLimits) -> None:
        with NativeReplication(_native_settings(layout, file, _admin_dsns(layout))) as database:
            await_as_left(after, lambda: standing(database), limits, SteadyClock())

    return await_fit


def rehearsal_notices(layout: Layout, file: MigrationFile) -> Dispatcher:
    """Tells the file's webhooks and mail servers, if they are on this computer: a rehearsal wakes nobody else."""
    told = file.notifications
    channels: list[Channel] = []
    for hook in told.webhooks:
        if hook.url is not None and is_loopback(urlsplit(str(hook.url)).hostname or ""):
            signed_by = (
                hook.signing_key.name if hook.signing_key and hook.signing_key.store is SecretStore.ENV else None
            )
            webhook = WebhookChannel(hook.name, str(hook.url), secret_variable=signed_by)
            channels.append(SelectedTopics(webhook, map(Topic, hook.topics)))
    for number, mail in enumerate(told.email, start=1):
        if is_loopback(mail.host):
            server = MailServer(host=mail.host, port=mail.port, starttls=mail.starttls)
            mailbox = MailChannel(f"mail-{number}", server, sender=mail.sender, recipients=mail.to)
            channels.append(SelectedTopics(mailbox, map(Topic, mail.topics)))
    feed = FeedInTurn([JournalFeed(partial(SqliteJournal, path, must_exist=True)) for path in layout.journals])
    return Dispatcher(channels, feed, FileCursor(layout.root / "notices"))


def _native_settings(layout: Layout, file: MigrationFile, dsns: dict[Side, str]) -> NativeSettings:
    switch = file.database.switch
    reaches = {
        side: Reach(dsn=dsns[side], subscriber_dsn=_dsn(layout.database_port(side, seen_from=side.other), OURS))
        for side in Side
    }
    return NativeSettings(
        source=reaches[Side.SOURCE],
        target=reaches[Side.TARGET],
        programs=target_postgres().programs,
        schemas=(SCHEMA,),
        application_roles=(APPLICATION,),
        sequence_margin=switch.sequence_margin,
        lock_timeout=switch.lock_timeout,
        drain_timeout=switch.drain_timeout,
        end_blocking_sessions=switch.end_long_transactions,
        retained_wal_limit_bytes=file.database.replication.wal.drop_at,
        schema_sessions=file.database.replication.copy_workers,
        preflight_accept=file.database.preflight_accept,
    )


def _admin_dsns(layout: Layout) -> dict[Side, str]:
    """As the engine reaches the databases from the target site."""
    return {side: _dsn(layout.database_port(side, seen_from=Side.TARGET), OURS) for side in Side}


def _twins(layout: Layout) -> list[Twin]:
    dsns = {side: _dsn(layout.database_port(side, seen_from=Side.TARGET), APPLICATION) for side in Side}
    settings = {"source_dsn": dsns[Side.SOURCE], "target_dsn": dsns[Side.TARGET]}
    places = zip(layout.servers, layout.ports.modern, layout.ports.test, strict=True)
    return [
        Twin(legacy=name, name=f"{name}-aws", port=port, test_port=test, settings=settings)
        for name, port, test in places
    ]


def _ways_to_databases(layout: Layout) -> list[TcpPath]:
    return [
        TcpPath(
            name=f"{side.other} site to {side} database",
            host="127.0.0.1",
            port=layout.database_port(side, seen_from=side.other),
            hello=POSTGRES_HELLO,
        )
        for side in Side
    ]


def _paths_of_the_link(layout: Layout, file: MigrationFile) -> list[TcpPath]:
    """Two where there is a WAN; without one the sites are not apart."""
    if not layout.through_wan:
        return []
    ports = (layout.ports.wan_primary, layout.ports.wan_backup)
    return [
        TcpPath(name=name, host="127.0.0.1", port=port, hello=b"?", redundant=True)
        for name, port in zip(file.connectivity.path_names(), ports, strict=True)
    ]


def _probes(layout: Layout) -> dict[Suite, list[Probe]]:
    ports = {
        Suite.SOURCE: layout.ports.legacy,
        Suite.TARGET: layout.ports.modern,
        Suite.TEST_INSTANCES: layout.ports.test,
    }
    asked = ((HEALTH, "/healthz"), (READINESS, "/readyz"), (SERVICE, "/api/accounts/2"))
    return {
        suite: [
            Probe(name=name, subject=server, url=f"http://127.0.0.1:{port}{path}")
            for server, port in zip(layout.servers, ports[suite], strict=True)
            for name, path in asked
        ]
        for suite in Suite
    }


def _launcher(port: int) -> LauncherClient:
    return LauncherClient(f"http://127.0.0.1:{port}")


def _dsn(port: int, role: str) -> str:
    return f"host=127.0.0.1 port={port} dbname={DATABASE} user={role}"
