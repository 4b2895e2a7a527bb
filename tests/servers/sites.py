"""Two sites in a temporary folder: legacy servers to copy, and a launcher that serves each instance over real HTTP."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from crossfade.rehearsal.processes import free_ports
from crossfade.servers.copied import CopiedServers, Launchers, Places, Readiness
from crossfade.servers.launcher import Kind
from crossfade.servers.twin import Twin

NAMES = ("app-01", "app-02", "app-03")
PATIENT = Readiness(
    patience=timedelta(seconds=120),
    timeout=timedelta(seconds=60),
    look_timeout=timedelta(seconds=60),
    warm_up_requests=2,
)
IMPATIENT = Readiness(patience=timedelta(seconds=0.4), timeout=timedelta(seconds=2), warm_up_requests=2)


@dataclass(frozen=True)
class Started:
    name: str
    kind: Kind
    release: str
    server: ThreadingHTTPServer


class LocalLauncher:
    """Serves /healthz and /readyz of each instance as its folder's settings say; `unready` names answer 503."""

    def __init__(self) -> None:
        self.started: dict[str, Started] = {}
        self.unready: set[str] = set()
        self.answers_as: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.at_each_point: Callable[[], None] = lambda: None

    def start(self, name: str, *, kind: Kind, directory: Path, port: int) -> None:
        self.at_each_point()
        assert name not in self.started, "the port of a running instance is not free"
        settings = json.loads((directory / "settings.json").read_text())
        server = ThreadingHTTPServer(("127.0.0.1", port), self._handler(name, settings["name"]))
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        release = (directory / "release" / "app.py").read_text()
        self.started[name] = Started(name, kind, release, server)
        self.at_each_point()

    def stop(self, name: str) -> None:
        self.at_each_point()
        server = self.started.pop(name).server
        server.shutdown()
        server.server_close()
        self.at_each_point()

    def instances(self) -> list[Started]:
        self.at_each_point()
        return list(self.started.values())

    def close(self) -> None:
        self.at_each_point = lambda: None
        for name in list(self.started):
            self.stop(name)

    def _handler(self, instance: str, name: str) -> type[BaseHTTPRequestHandler]:
        launcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                launcher.requests.append((instance, self.path))
                self.send_response(503 if instance in launcher.unready and self.path == "/readyz" else 200)
                self.send_header("x-server", launcher.answers_as.get(instance, name))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        return Handler


class Sites:
    """`servers()` is a new object each time, as after a crash of the engine."""

    def __init__(self, root: Path, names: tuple[str, ...] = NAMES) -> None:
        self.root = root
        self.readiness = PATIENT  # a busy computer may be slow; tests of failures set `IMPATIENT`
        self.source = LocalLauncher()
        self.target = LocalLauncher()
        self.places = Places(
            source_servers=root / "source" / "servers",
            target_servers=root / "target" / "servers",
            states=root / "servers.json",
        )
        ports = free_ports(2 * len(names))
        self.twins = tuple(
            Twin(legacy=name, name=f"aws-{name}", port=port, test_port=test, settings={"share": "/target/share"})
            for name, port, test in zip(names, ports[::2], ports[1::2], strict=True)
        )
        for place, name in enumerate(names):
            self.install(name, port=ports[place])

    def install(self, name: str, *, port: int) -> None:
        release = self.release(name)
        (release / "pages").mkdir(parents=True)
        (release / "app.py").write_text("version 1\n")
        (release / "pages" / "account.html").write_text("<p>account</p>\n")
        (release / "run").write_text("#!/bin/sh\n")
        (release / "run").chmod(0o755)
        settings = {"name": name, "arm": "legacy", "port": port, "share": "/source/share", "service_ms": 12}
        (release.parent / "settings.json").write_text(json.dumps(settings))

    def release(self, name: str) -> Path:
        return self.places.source_servers / name / "release"

    def twin(self, name: str) -> Path:
        return self.places.target_servers / f"aws-{name}"

    def servers(self) -> CopiedServers:
        launchers = Launchers(source=self.source, target=self.target)
        return CopiedServers(self.twins, self.places, launchers, self.readiness)


@contextmanager
def two_sites(root: Path, names: tuple[str, ...] = NAMES) -> Iterator[Sites]:
    sites = Sites(root, names)
    try:
        yield sites
    finally:
        sites.source.close()
        sites.target.close()
