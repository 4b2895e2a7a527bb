import json
import subprocess
from pathlib import Path

import pytest

from crossfade.metrics.envoy import ANSWERED, FAILED, UNANSWERED
from crossfade.model.seen import Shares
from crossfade.rehearsal import parts, router
from crossfade.rehearsal.router_configuration import RouterLayout, bootstrap
from crossfade.traffic import runtime
from tests.traffic.running import Routed, routed
from tests.traffic.users import Ask, ask_all
from tests.waiting import wait_for


def _layout(folder: Path) -> RouterLayout:
    return RouterLayout(
        folder=folder, listen_port=20001, admin_port=20002, legacy_ports=[20003, 20004], modern_ports=[20005, 20006]
    )


def test_router_is_reached_from_this_computer_only_when_configured(tmp_path: Path) -> None:
    configured = json.dumps(bootstrap(_layout(tmp_path)))
    addresses = [part.split('"')[0] for part in configured.split('"address": "')[1:]]
    assert len(addresses) == 8
    assert set(addresses) == {"127.0.0.1"}


def test_shares_stay_when_the_router_is_prepared_again(tmp_path: Path) -> None:
    layout = _layout(tmp_path / "router")
    router.prepare(layout)
    assert runtime.read(layout.runtime_folder) == Shares(canary_percent=0)
    runtime.write(layout.runtime_folder, Shares(canary_percent=25))
    router.prepare(layout)
    assert runtime.read(layout.runtime_folder) == Shares(canary_percent=25)


def test_writes_have_no_mirror_when_reads_have_one(tmp_path: Path) -> None:
    listener = bootstrap(_layout(tmp_path))["static_resources"]["listeners"][0]
    connections = listener["filter_chains"][0]["filters"][0]["typed_config"]
    reads, others = connections["route_config"]["virtual_hosts"][0]["routes"]
    assert reads["match"]["headers"][0]["string_match"] == {"safe_regex": {"regex": "GET|HEAD"}}
    assert "request_mirror_policies" in reads["route"]
    assert "request_mirror_policies" not in others["route"]


def test_every_request_is_counted_once_when_it_ends(tmp_path: Path) -> None:
    listener = bootstrap(_layout(tmp_path))["static_resources"]["listeners"][0]
    logs = listener["filter_chains"][0]["filters"][0]["typed_config"]["access_log"]
    prefixes = [log["typed_config"]["stats_scope"]["prefix"] for log in logs]
    assert prefixes[:3] == [f"arms.{ended}" for ended in (ANSWERED, FAILED, UNANSWERED)]
    assert prefixes[3:] == ["arms.transfers.good", "arms.transfers.bad"]


@pytest.mark.parts
def test_envoy_finds_no_fault_when_it_checks_the_configuration(tmp_path: Path) -> None:
    layout = _layout(tmp_path)
    argv = [str(parts.envoy()), "--mode", "validate", "-c", str(router.prepare(layout)), "--log-level", "warn"]
    checked = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=240)
    assert checked.returncode == 0, checked.stderr
    assert "eprecated" not in checked.stderr


@pytest.mark.parts
def test_router_is_ready_as_long_as_some_server_answers_when_others_are_gone() -> None:
    with routed(servers_of_each=2) as running:
        servers = running.servers
        servers.down(servers.modern)
        servers.down(servers.legacy, running.layout.legacy_ports[0])
        running.kill()
        assert not router.is_ready(running.layout)
        running.start()
        servers.down(servers.legacy)
        wait_for(lambda: not router.is_ready(running.layout))
        servers.up(servers.modern)
        wait_for(lambda: router.is_ready(running.layout))


@pytest.mark.parts
def test_users_are_answered_at_once_when_the_router_says_it_is_ready() -> None:
    with routed(servers_of_each=6) as running:
        for _ in range(5):
            running.kill()
            running.start()
            answers = ask_all(running.port, [Ask(user=str(number)) for number in range(60)])
            assert {answer.status for answer in answers} == {200}


@pytest.mark.parts
def test_two_routers_run_beside_each_other_when_their_ports_differ() -> None:
    with routed(servers_of_each=1) as one, routed(servers_of_each=1) as other:
        one.router.set_shares(10)
        other.router.set_shares(90)
        assert (_percent(one), _percent(other)) == (10, 90)


def _percent(running: Routed) -> float:
    shares = running.router.shares()
    assert isinstance(shares, Shares)
    return shares.canary_percent
