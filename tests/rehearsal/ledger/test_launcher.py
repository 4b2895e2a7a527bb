import http.client
import json
import os
import signal
import socket
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from crossfade.rehearsal.ledger.control import InstanceRefused, InstanceState, LauncherClient, LauncherSilent
from crossfade.rehearsal.ledger.installation import checksum, install, own_checksum
from crossfade.rehearsal.ledger.release.faults import FaultLevels, SharedFaults
from crossfade.rehearsal.ledger.release.settings import Arm, ServerSettings, SettingsFaulty, read_settings
from crossfade.rehearsal.processes import free_ports
from tests.rehearsal.ledger.conftest import Center, ask, ready
from tests.waiting import wait_for


def settings(tmp_path: Path, port: int) -> ServerSettings:
    nowhere = "host=127.0.0.1 port=1 user=ledger_app dbname=ledger"
    share = str(tmp_path)
    return ServerSettings(
        name="a",
        arm=Arm.LEGACY,
        port=port,
        source_dsn=nowhere,
        target_dsn=nowhere,
        source_share=share,
        target_share=share,
    )


def up(port: int) -> bool:
    try:
        return ask(port, "GET", "/healthz").status == 200
    except OSError:
        return False


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def folder(tmp_path: Path, port: int) -> Path:
    install(tmp_path / "server", settings(tmp_path, port))
    return tmp_path / "server"


@pytest.mark.parts
def test_forks_the_loaded_release_when_the_folder_holds_the_same(
    launcher: LauncherClient, folder: Path, port: int
) -> None:
    instance = launcher.start("a", kind="production", directory=folder, port=port)
    assert instance.preloaded
    wait_for(lambda: up(port))
    assert launcher.instances() == (instance,)


@pytest.mark.parts
def test_runs_the_folders_own_release_when_it_is_another(launcher: LauncherClient, folder: Path, port: int) -> None:
    code = folder / "release" / "application.py"
    code.write_text(code.read_text().replace('"status": "up"', '"status": "changed"'))
    assert not launcher.start("a", kind="test", directory=folder, port=port).preloaded
    wait_for(lambda: up(port))
    assert ask(port, "GET", "/healthz").json == {"status": "changed"}


@pytest.mark.parts
def test_changes_nothing_when_the_same_start_is_asked_again(launcher: LauncherClient, folder: Path, port: int) -> None:
    first = launcher.start("a", kind="production", directory=folder, port=port)
    assert launcher.start("a", kind="production", directory=folder, port=port) == first


@pytest.mark.parts
def test_refuses_when_the_name_runs_with_another_order(launcher: LauncherClient, folder: Path, port: int) -> None:
    launcher.start("a", kind="production", directory=folder, port=port)
    with pytest.raises(InstanceRefused, match="runs already"):
        launcher.start("a", kind="test", directory=folder, port=port)


@pytest.mark.parts
def test_refuses_when_the_port_is_busy(launcher: LauncherClient, folder: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(InstanceRefused, match=f"port {port}"):
        launcher.start("a", kind="production", directory=folder, port=port)
    assert launcher.instances() == ()


@pytest.mark.parts
def test_refuses_with_every_fault_when_settings_are_wrong(launcher: LauncherClient, folder: Path, port: int) -> None:
    (folder / "settings.json").write_text(
        '{"name": "a", "arm": "blue", "colour": "red", "source_dsn": "password=geheim"}'
    )
    with pytest.raises(InstanceRefused) as refused:
        launcher.start("a", kind="production", directory=folder, port=port)
    assert all(place in str(refused.value) for place in ("arm", "port", "colour", "target_dsn"))
    assert "geheim" not in str(refused.value)


@pytest.mark.parts
def test_refuses_when_there_is_no_release(launcher: LauncherClient, tmp_path: Path, port: int) -> None:
    with pytest.raises(InstanceRefused, match="missing"):
        launcher.start("a", kind="production", directory=tmp_path, port=port)


@pytest.mark.parts
def test_starts_again_when_an_instance_is_killed(launcher: LauncherClient, folder: Path, port: int) -> None:
    first = launcher.start("a", kind="production", directory=folder, port=port)
    wait_for(lambda: up(port))
    launcher.kill("a")
    wait_for(lambda: launcher.instances()[0].pid not in {first.pid, None} and up(port))
    assert launcher.instances()[0].crashes == 1


@pytest.mark.parts
def test_waits_longer_each_time_when_an_instance_keeps_crashing(
    launcher: LauncherClient, folder: Path, port: int
) -> None:
    noted = folder / "begun"
    program = f"import time; open({str(noted)!r}, 'a').write(f'{{time.monotonic()}}\\n'); raise SystemExit(1)"
    (folder / "release" / "__main__.py").write_text(program)
    launcher.start("a", kind="production", directory=folder, port=port)
    wait_for(lambda: launcher.instances()[0].crashes >= 4)
    wait_for(lambda: launcher.instances()[0].state is InstanceState.RESTARTING)
    begun = [float(moment) for moment in noted.read_text().split()]
    pauses = [after - before for before, after in pairwise(begun)]  # and the little that it lived
    assert [pause > 0.1 * 2**number for number, pause in enumerate(pauses[:3])] == [True] * 3
    launcher.stop("a")
    assert launcher.instances() == ()


@pytest.mark.parts
def test_is_gone_when_stop_returns(launcher: LauncherClient, folder: Path, port: int) -> None:
    instance = launcher.start("a", kind="production", directory=folder, port=port)
    launcher.stop("a")
    launcher.stop("a")
    assert not psutil.pid_exists(instance.pid or 0)


@pytest.mark.parts
def test_servers_end_when_the_launcher_is_killed(launcher: LauncherClient, folder: Path, port: int) -> None:
    pid = launcher.start("a", kind="production", directory=folder, port=port).pid
    wait_for(lambda: up(port))
    server = psutil.Process(pid)
    os.kill(server.ppid(), signal.SIGKILL)
    wait_for(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.parts
def test_children_hold_no_control_port_when_forked(launcher: LauncherClient, folder: Path, port: int) -> None:
    pid = launcher.start("a", kind="production", directory=folder, port=port).pid
    wait_for(lambda: up(port))
    listening = [c.laddr.port for c in psutil.Process(pid).net_connections(kind="tcp") if c.status == "LISTEN"]
    assert listening == [port]


@pytest.mark.parts
def test_shows_faults_in_their_shares_when_they_are_set(center: Center) -> None:
    port = center.start("a")
    center.launcher.set_faults(error_percent=30.0, wrong_percent=100.0)
    assert center.launcher.faults().error_percent == 30.0
    healthy = center.value("SELECT round(balance, 2)::text FROM ledger.accounts WHERE id = 2")
    seen = [ask(port, "GET", "/api/accounts/2") for _ in range(200)]
    statuses = Counter(answer.status for answer in seen)
    assert 20 <= statuses[500] <= 105  # of 200, 30 % each: with a chance of 1e-9 it is another number
    assert statuses[200] + statuses[500] == 200
    assert all(answer.json["balance"] != healthy for answer in seen if answer.status == 200)
    center.launcher.set_faults()
    assert ask(port, "GET", "/api/accounts/2").json["balance"] == healthy
    assert ready(port)


@pytest.mark.parts
def test_takes_longer_when_latency_is_added(center: Center) -> None:
    port = center.start("a")

    def seconds() -> float:
        began = time.monotonic()
        for _ in range(20):
            ask(port, "GET", "/api/accounts/2")
        return time.monotonic() - began

    before = [seconds()]
    center.launcher.set_faults(latency_percent=1000)
    slowed = min(seconds() for _ in range(3))
    center.launcher.set_faults()

    def was_quicker() -> bool:  # once nobody else has the processor
        before.append(seconds())
        return slowed > min(before) + 20 * 0.002 * 5

    wait_for(was_quicker)


@pytest.mark.parts
@pytest.mark.parametrize("levels", [{"error_percent": 101.0}, {"latency_percent": -1.0}])
def test_refuses_faults_when_they_are_out_of_range(launcher: LauncherClient, levels: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="percent"):
        launcher.set_faults(**levels)


@pytest.mark.parts
@pytest.mark.parametrize(
    ("path", "body", "told"),
    [("/instances", "{}", "name"), ("/instances", "nonsense", "JSON"), ("/nowhere", "{}", "nothing here")],
)
def test_says_what_is_wrong_when_an_order_is_not_understood(
    launcher: LauncherClient, path: str, body: str, told: str
) -> None:
    connection = http.client.HTTPConnection(launcher._address, timeout=120)
    connection.request("POST", path, body)
    reply = connection.getresponse()
    assert reply.status in {400, 404}
    assert told in json.loads(reply.read())["problem"]
    connection.close()


def test_says_so_when_no_launcher_listens(port: int) -> None:
    with pytest.raises(LauncherSilent, match=str(port)) as silent:
        LauncherClient(f"http://127.0.0.1:{port}").instances()
    assert silent.value.retryable


def test_installed_release_has_the_same_checksum_when_copied(folder: Path) -> None:
    assert checksum(folder / "release") == own_checksum()
    (folder / "release" / "pages.py").write_text("")
    assert checksum(folder / "release") != own_checksum()


def test_installs_anew_when_the_release_was_changed(tmp_path: Path, folder: Path, port: int) -> None:
    (folder / "release" / "stray.py").write_text("")
    install(folder, settings(tmp_path, port))
    assert checksum(folder / "release") == own_checksum()


def test_reads_back_what_was_written_when_settings_are_installed(tmp_path: Path, folder: Path, port: int) -> None:
    assert read_settings(folder / "settings.json") == settings(tmp_path, port)


def test_names_the_file_when_settings_are_missing(tmp_path: Path) -> None:
    with pytest.raises(SettingsFaulty, match="No such file"):
        read_settings(tmp_path / "settings.json")


def test_others_see_faults_at_once_when_the_file_is_shared(tmp_path: Path) -> None:
    mine, theirs = SharedFaults(tmp_path / "faults"), SharedFaults(tmp_path / "faults")
    assert theirs.read() == FaultLevels()
    mine.write(FaultLevels(latency_percent=20.0, wrong_percent=1.5, declined_percent=3.0))
    assert theirs.read() == FaultLevels(latency_percent=20.0, wrong_percent=1.5, declined_percent=3.0)
