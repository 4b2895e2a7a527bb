"""The data center on this computer and its twin: every part, in the order in which they need each other."""

import os
import signal
import sys
from collections.abc import Callable, Container
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from crossfade.model.file import MigrationFile
from crossfade.model.resolve import file_interval
from crossfade.model.terms import NoData, Side
from crossfade.rehearsal import parts, router, wan
from crossfade.rehearsal.cluster import Cluster
from crossfade.rehearsal.layout import Layout
from crossfade.rehearsal.ledger.control import LauncherClient, LauncherSilent
from crossfade.rehearsal.ledger.database import DATABASE, create_database, create_ledger, drop_database
from crossfade.rehearsal.ledger.documents import write_documents
from crossfade.rehearsal.ledger.installation import install
from crossfade.rehearsal.ledger.release.settings import Arm, ServerSettings
from crossfade.rehearsal.part import Part
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.room import LEAST_LEFT, require_room
from crossfade.rehearsal.router_configuration import RouterLayout
from crossfade.rehearsal.shadow_settings import collector_settings
from crossfade.shadowing.client import CollectorClient

_PATIENCE_S = 120.0  # a computer that starts all parts at once; one that cannot start ends at once
_BUILT, _SERVED = "built", "served"


class DataCenter:
    """All parts of one rehearsal. `start` may be called on a folder that an earlier one left: it goes on with its data.

    `fillable` are the sides whose database's disk can be made full.
    Only the main thread may start parts, for the kernel ends them with the thread that started them.
    """

    def __init__(self, layout: Layout, file: MigrationFile, *, fillable: Container[Side] = ()) -> None:
        self.layout, self._file = layout, file
        ports = layout.ports
        self.clusters = {
            Side.SOURCE: Cluster(
                programs=parts.source_postgres(),
                directory=layout.site(Side.SOURCE) / "postgres",
                port=ports.source_database,
                fillable_disk=Side.SOURCE in fillable,
            ),
            Side.TARGET: Cluster(
                programs=parts.target_postgres(),
                directory=layout.site(Side.TARGET) / "postgres",
                port=ports.target_database,
                fillable_disk=Side.TARGET in fillable,
            ),
        }
        self.launchers = {
            Side.SOURCE: LauncherClient(f"http://127.0.0.1:{ports.source_launcher}"),
            Side.TARGET: LauncherClient(f"http://127.0.0.1:{ports.target_launcher}"),
        }
        self.router = RouterLayout(
            folder=layout.router,
            listen_port=ports.router,
            admin_port=ports.router_admin,
            legacy_ports=ports.legacy,
            modern_ports=ports.modern,
            user_header=file.traffic.sticky_header,
            mirror_ports=(ports.shadow_mirror,),
            mirrored_methods=file.shadow.methods,
            safe_routes=file.shadow.safe_routes,
        )
        self._parts = self._make_parts()
        self.users = Part("users", self._launch_users, (layout.users / "requests.csv").exists)

    @property
    def round_trip(self) -> timedelta:
        """Between the sites, without a fault."""
        return self._file.rehearsal.wan_round_trip

    def start(self, say: Callable[[str], None]) -> None:
        """Returns when everything answers. Raises `CrossfadeError`; what was started still has to be stopped then."""
        built = self.layout.root / _BUILT
        say("databases")
        for cluster in self.clusters.values():
            cluster.create()
            cluster.start()
        if not built.exists():
            say("the ledger's history")
            self._build()
            built.touch()
        say("servers, router and files")
        for part in self._parts:
            part.start()
        for part in self._parts:
            if part.name != "router":
                part.wait(_PATIENCE_S)
        served = self.layout.root / _SERVED
        if not served.exists():  # later the launchers know by themselves what shall run
            self._start_legacy_servers()
            served.touch()
        next(part for part in self._parts if part.name == "router").wait(_PATIENCE_S)
        say("users")
        self.users.start()
        self.users.wait(_PATIENCE_S)

    def tend(self) -> list[str]:
        """Start again what has died (a supervisor would); returns the names.

        Raises `NoRoom` when the disk is nearly full, `PartNotReady` or `ClusterNotStarted` when starting is no use.
        """
        require_room(self.layout.root, LEAST_LEFT)  # before the disk is full: ending in order takes room, too
        restarted = [part.name for part in (*self._parts, self.users) if part.tend()]
        for side, cluster in self.clusters.items():
            if not cluster.alive and not cluster.disk_is_full:  # without room it would not come up
                cluster.start()
                restarted.append(f"{side.value} database")
        return restarted

    def kill(self, name: str) -> None:
        next(part for part in self._parts if part.name == name).kill()

    def retire_users(self) -> None:
        """No new requests; those in flight are finished, with their retries."""
        self.users.stop(seconds=45.0)

    def stop(self) -> None:
        """Everything that was started has ended, users first, databases last; one that resists keeps no other."""
        with ExitStack() as ending:  # the last that is put on it goes first
            for cluster in self.clusters.values():
                ending.callback(cluster.stop)
            for part in (*self._parts, self.users):
                ending.callback(part.stop)

    def _make_parts(self) -> list[Part]:
        layout = self.layout
        made = [
            Part(f"{side.value} launcher", self._launch_launcher(side), self._launcher_answers(side)) for side in Side
        ]
        made.append(Part("router", self._launch_router, self._router_answers))
        made.append(Part("file agent", self._launch_file_agent, lambda: True))
        if self._file.shadow.enabled:
            made.append(Part("shadow collector", self._launch_collector, self._collector_answers))
        if layout.through_wan:
            made.insert(0, Part("wan", self._launch_wan, self._wan_answers))
        return made

    def _build(self) -> None:
        source, target = self.clusters[Side.SOURCE], self.clusters[Side.TARGET]
        for cluster in (source, target):  # an earlier start may have been interrupted in the middle
            drop_database(cluster.dsn())
        create_ledger(source.dsn(), self._file.rehearsal.rows, statements=self._file.rehearsal.documents)
        create_database(target.dsn())
        write_documents(source.dsn(database=DATABASE), self.layout.share(Side.SOURCE))
        for name, port in zip(self.layout.servers, self.layout.ports.legacy, strict=True):
            install(self.layout.server(Side.SOURCE, name), self._settings(name, port))

    def _settings(self, name: str, port: int) -> ServerSettings:
        service_time = self._file.rehearsal.service_time
        return ServerSettings(
            name=name,
            arm=Arm.LEGACY,
            port=port,
            source_dsn=self.application_dsn(Side.SOURCE, seen_from=Side.SOURCE),
            target_dsn=self.application_dsn(Side.TARGET, seen_from=Side.SOURCE),
            source_share=str(self.layout.share(Side.SOURCE)),
            target_share=str(self.layout.share(Side.TARGET)),
            service_time_ms=service_time.median.total_seconds() * 1000,
            service_time_sigma=service_time.sigma,
        )

    def application_dsn(self, side: Side, *, seen_from: Side) -> str:
        port = self.layout.database_port(side, seen_from=seen_from)
        return f"host=127.0.0.1 port={port} dbname={DATABASE} user=ledger_app"

    def _start_legacy_servers(self) -> None:
        launcher = self.launchers[Side.SOURCE]
        for name, port in zip(self.layout.servers, self.layout.ports.legacy, strict=True):
            directory = self.layout.server(Side.SOURCE, name)
            launcher.start(name, kind="production", directory=directory, port=port)

    def _launch_launcher(self, side: Side) -> Callable[[], Launch]:
        ports = self.layout.ports
        control = ports.source_launcher if side is Side.SOURCE else ports.target_launcher
        logs = self.layout.logs / f"{side.value}-servers"

        def launch() -> Launch:
            logs.mkdir(exist_ok=True)
            words = ["--site", side.value, "--control", str(control), "--log", str(logs)]
            return self._python("crossfade.rehearsal.ledger.launcher", words, f"{side.value}-launcher.log")

        return launch

    def _launcher_answers(self, side: Side) -> Callable[[], bool]:
        def answers() -> bool:
            try:
                self.launchers[side].instances()
            except LauncherSilent:
                return False
            return True

        return answers

    def _router_answers(self) -> bool:
        return router.is_ready(self.router)

    def _wan_answers(self) -> bool:
        try:
            wan.WanControl(port=self.layout.ports.wan_control).state()
        except wan.WanUnreachable:
            return False
        return True

    def _launch_router(self) -> Launch:
        return router.launch(self.router, self.layout.logs / "router.log")

    def _launch_wan(self) -> Launch:
        ports = self.layout.ports
        maps = {ports.wan_to_source: ports.source_database, ports.wan_to_target: ports.target_database}
        paths = {wan.PRIMARY: ports.wan_primary, wan.BACKUP: ports.wan_backup}
        log = self.layout.logs / "wan.log"
        return wan.launch(maps, ports.wan_control, self.round_trip, log, paths=paths)

    def _launch_file_agent(self) -> Launch:
        layout = self.layout
        words = ["--directory", str(layout.files)]
        words += ["--source", str(layout.share(Side.SOURCE)), "--target", str(layout.share(Side.TARGET))]
        words += ["--interval", f"{file_interval(self._file, layout.speed).total_seconds():g}"]
        return self._python("crossfade.files.agent", words, "file-agent.log")

    def _launch_collector(self) -> Launch:
        settings = self.layout.shadow / "settings.json"
        settings.write_text(collector_settings(self.layout, self._file).model_dump_json(indent=1), encoding="utf-8")
        return self._python("crossfade.shadowing", [str(settings)], "shadow-collector.log")

    def _collector_answers(self) -> bool:
        reading = CollectorClient(f"http://127.0.0.1:{self.layout.ports.shadow_control}").reading()
        return not isinstance(reading, NoData)

    def _launch_users(self) -> Launch:
        load = self._file.rehearsal
        words = ["--router", self.router.url, "--out", str(self.layout.users)]
        words += ["--rate", f"{load.requests_per_second:g}", "--writes", f"{load.write_fraction:g}"]
        words += ["--users", str(load.users), "--seed", str(self.layout.seed)]
        words += ["--user-header", self._file.traffic.sticky_header]
        launch = self._python("crossfade.rehearsal.users", words, "users.log")
        return replace(launch, on_orphaned=signal.SIGHUP)  # at SIGTERM they would wait for answers

    def _python(self, module: str, words: list[str], log: str) -> Launch:
        argv = [sys.executable, "-m", module, *words]
        return Launch(argv=argv, log=self.layout.logs / log, cwd=Path.cwd(), environment=os.environ)
