"""A real collector behind a real Envoy, between tiny servers, for a test."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from crossfade.model.comparing import ShadowReading
from crossfade.rehearsal import processes
from crossfade.shadowing.client import CollectorClient
from crossfade.shadowing.settings import CollectorSettings
from tests.traffic.running import Routed, routed
from tests.waiting import wait_for


@dataclass
class Collected:
    """`folder` holds all that the collector could write: its settings and its log."""

    routed: Routed
    settings: CollectorSettings
    folder: Path
    client: CollectorClient
    process: subprocess.Popen[bytes] | None = None

    def reading(self) -> ShadowReading:
        found = self.client.reading()
        assert isinstance(found, ShadowReading), found
        return found

    def start(self) -> None:
        (self.folder / "settings.json").write_text(self.settings.model_dump_json(), encoding="utf-8")
        argv = [sys.executable, "-m", "crossfade.shadowing", str(self.folder / "settings.json")]
        log = self.folder / "collector.log"
        self.process = processes.start(processes.Launch(argv=argv, log=log, cwd=Path.cwd(), environment=os.environ))
        wait_for(self.answers)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "collector.log").read_text()
        return isinstance(self.client.reading(), ShadowReading)

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self) -> None:
        assert self.process is not None
        processes.stop(self.process, timeout=60)
        assert self.process.returncode == 0, (self.folder / "collector.log").read_text()


@contextmanager
def collected(**settings: object) -> Iterator[Collected]:
    """Copies of what users of the router read are asked of its legacy servers and, as candidate, its modern ones."""
    *_, mirror, control = processes.free_ports(20)  # the router takes the first ones
    with (
        tempfile.TemporaryDirectory(prefix="crossfade-shadow-") as folder,
        routed(mirror_ports=(mirror,), safe_routes=("/search",)) as router,
    ):
        given: dict[str, object] = {"sample_percent": 100, "repeat_percent": 100, "safe_routes": ("/search",)}
        told = CollectorSettings.model_validate_json(
            json.dumps(
                {
                    "mirror_port": mirror,
                    "control_port": control,
                    "control": [f"http://127.0.0.1:{port}" for port in router.layout.legacy_ports],
                    "candidate": [f"http://127.0.0.1:{port}" for port in router.layout.modern_ports],
                    "comparison": {"ignore_headers": ["x-arm", "x-server"]},
                    **given,
                    **settings,
                }
            )
        )
        client = CollectorClient(f"http://127.0.0.1:{control}")
        whole = Collected(routed=router, settings=told, folder=Path(folder), client=client)
        whole.start()
        try:
            router.router.mirror(100)
            yield whole
        finally:
            whole.end()
