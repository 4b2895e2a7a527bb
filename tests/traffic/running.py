"""A real Envoy between tiny servers and whoever asks, for a test."""

import resource
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from crossfade.rehearsal import processes, router
from crossfade.rehearsal.router import RouterLayout
from crossfade.traffic.envoy import EnvoyRouter
from tests.traffic.servers import Servers, serving
from tests.waiting import wait_for


@contextmanager
def without_room() -> Iterator[None]:
    """This process can write no byte to any file, as on a full disk (the error has another number)."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


@dataclass
class Routed:
    """The whole: users ask at `port`, `router` is the port to the engine, `servers` can be taken down."""

    layout: RouterLayout
    router: EnvoyRouter
    servers: Servers
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return self.layout.listen_port

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def start(self) -> None:
        """Returns when users are answered."""
        self.launch()
        wait_for(self.ready)

    def launch(self) -> None:
        self.process = processes.start(router.launch(self.layout, self.layout.folder / "router.log"))

    def ready(self) -> bool:
        assert self.process.poll() is None, (self.layout.folder / "router.log").read_text()
        return router.is_ready(self.layout)


@contextmanager
def routed(
    *,
    servers_of_each: int = 3,
    timeout_s: float = 60,
    mirror_ports: Sequence[int] = (),
    safe_routes: Sequence[str] = (),
) -> Iterator[Routed]:
    """Copies go to `mirror_ports`, or to the modern servers where there are none."""
    with tempfile.TemporaryDirectory(prefix="crossfade-router-") as folder:
        listen, admin, *ports = processes.free_ports(2 + 2 * servers_of_each)
        layout = RouterLayout(
            folder=Path(folder),
            listen_port=listen,
            admin_port=admin,
            legacy_ports=ports[:servers_of_each],
            modern_ports=ports[servers_of_each:],
            timeout=timedelta(seconds=timeout_s),
            mirror_ports=mirror_ports,
            safe_routes=safe_routes,
        )
        with serving(layout.legacy_ports, layout.modern_ports) as servers:
            process = processes.start(router.launch(layout, layout.folder / "router.log"))
            whole = Routed(
                layout=layout,
                router=EnvoyRouter(layout.admin_url, layout.runtime_folder, timeout=timedelta(seconds=60)),
                servers=servers,
                process=process,
            )
            try:
                wait_for(whole.ready)
                yield whole
            finally:
                processes.stop(whole.process, timeout=60)
