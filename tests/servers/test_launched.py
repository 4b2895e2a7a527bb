"""With the ledger's own release and real launchers: the copy is the release, and answers in the twin's name."""

import http.client
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import ServerState
from crossfade.rehearsal.ledger.control import LauncherClient
from crossfade.rehearsal.ledger.installation import install
from crossfade.rehearsal.ledger.release.settings import Arm, ServerSettings
from crossfade.rehearsal.processes import Launch, free_ports, start, stop
from crossfade.servers.copied import CopiedServers, Launchers, Places, Readiness
from crossfade.servers.twin import Twin
from tests.waiting import wait_for

NAMES = ("app-01", "app-02")
NO_DATABASE = "host=127.0.0.1 port=1 dbname=ledger connect_timeout=1"


@contextmanager
def launcher(folder: Path, site: str, port: int) -> Iterator[LauncherClient]:
    words = ["--site", site, "--control", str(port), "--log", str(folder / site)]
    argv = [sys.executable, "-m", "crossfade.rehearsal.ledger.launcher", *words]
    process = start(Launch(argv=argv, log=folder / f"{site}.log"))
    client = LauncherClient(f"http://127.0.0.1:{port}")
    try:
        wait_for(lambda: answers(client))
        yield client
    finally:
        stop(process, timeout=20)


def answers(client: LauncherClient) -> bool:
    try:
        client.instances()
    except CrossfadeError:
        return False
    return True


def answer(port: int) -> tuple[str | None, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/healthz")
    headers = connection.getresponse().headers
    connection.close()
    return headers["x-arm"], headers["x-server"]


@pytest.mark.parts
def test_twins_take_over_from_legacy_servers_when_all_parts_are_real(tmp_path: Path) -> None:
    control_source, control_target, *ports = free_ports(8)
    legacy, modern, test = ports[:2], ports[2:4], ports[4:]
    for name, port in zip(NAMES, legacy, strict=True):
        settings = ServerSettings(
            name=name,
            arm=Arm.LEGACY,
            port=port,
            source_dsn=NO_DATABASE,
            target_dsn=NO_DATABASE,
            source_share=str(tmp_path),
            target_share=str(tmp_path),
        )
        install(tmp_path / "source" / name, settings)
    twins = [
        Twin(legacy=name, name=f"{name}-aws", port=port, test_port=apart)
        for name, port, apart in zip(NAMES, modern, test, strict=True)
    ]
    places = Places(
        source_servers=tmp_path / "source", target_servers=tmp_path / "target", states=tmp_path / "servers.json"
    )
    no_database = Readiness(ready_path="/healthz", patience=timedelta(seconds=120))
    with launcher(tmp_path, "source", control_source) as source, launcher(tmp_path, "target", control_target) as target:
        for name, port in zip(NAMES, legacy, strict=True):
            source.start(name, kind="production", directory=tmp_path / "source" / name, port=port)
        servers = CopiedServers(twins, places, Launchers(source=source, target=target), no_database)
        servers.replicate()
        servers.launch_test()
        assert [answer(port) for port in test] == [("modern", "app-01-aws"), ("modern", "app-02-aws")]
        servers.end_test()
        servers.launch_cutover()
        assert [answer(port) for port in modern] == [("modern", "app-01-aws"), ("modern", "app-02-aws")]
        assert all(instance.preloaded for instance in target.instances()), "the copy is not the release"
        servers.finalize()
        servers.retire_source()
        assert source.instances() == ()
        statuses = servers.states()
        assert isinstance(statuses, tuple)
        assert [(s.name, s.state, s.instance_running) for s in statuses] == [
            (name, ServerState.DISCONNECTED, True) for name in NAMES
        ]
