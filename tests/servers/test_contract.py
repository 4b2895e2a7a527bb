"""What the port promises, of servers in memory and of copied ones alike."""

import pytest

from crossfade.model.seen import ServerState
from crossfade.servers.errors import WrongState
from crossfade.servers.memory import MemoryServers
from crossfade.servers.port import Servers
from tests.servers.sites import NAMES, Sites

FORWARD = ("replicate", "launch_test", "end_test", "launch_cutover", "finalize", "retire_source")


@pytest.fixture(params=["memory", "copied"])
def servers(request: pytest.FixtureRequest, sites: Sites) -> Servers:
    return MemoryServers(NAMES) if request.param == "memory" else sites.servers()


def seen(servers: Servers) -> set[tuple[ServerState, bool]]:
    statuses = servers.states()
    assert isinstance(statuses, tuple)
    assert [status.name for status in statuses] == list(NAMES)
    return {(status.state, status.instance_running) for status in statuses}


def go(servers: Servers, *verbs: str) -> None:
    for verb in verbs:
        getattr(servers, verb)()


def test_states_are_those_of_mgn_when_going_all_the_way(servers: Servers) -> None:
    assert seen(servers) == {(ServerState.NOT_READY, False)}
    servers.replicate()
    assert seen(servers) == {(ServerState.READY_FOR_TEST, False)}
    servers.launch_test()
    assert seen(servers) == {(ServerState.TESTING, True)}
    servers.end_test()
    assert seen(servers) == {(ServerState.READY_FOR_CUTOVER, False)}
    servers.launch_cutover()
    assert seen(servers) == {(ServerState.CUTTING_OVER, True)}
    servers.finalize()
    assert seen(servers) == {(ServerState.DISCONNECTED, True)}
    servers.retire_source()
    assert seen(servers) == {(ServerState.DISCONNECTED, True)}


@pytest.mark.parametrize("steps", range(1, len(FORWARD) + 1))
def test_nothing_changes_when_a_verb_is_repeated(servers: Servers, steps: int) -> None:
    go(servers, *FORWARD[:steps])
    before = seen(servers)
    go(servers, FORWARD[steps - 1])
    assert seen(servers) == before


@pytest.mark.parametrize("steps", range(5))
def test_all_is_as_before_when_reverted_before_finalize(servers: Servers, steps: int) -> None:
    go(servers, *FORWARD[:steps], "revert")
    assert seen(servers) == {(ServerState.NOT_READY, False)}
    go(servers, *FORWARD[:4])
    assert seen(servers) == {(ServerState.CUTTING_OVER, True)}


@pytest.mark.parametrize("steps", range(5))
def test_servers_are_tested_and_launched_anew_when_a_later_cutover_has_ended_those_of_the_first(
    servers: Servers, steps: int
) -> None:
    go(servers, *FORWARD[:steps])
    before = seen(servers)
    go(servers, "end_cutover", "end_cutover")
    assert seen(servers) == ({(ServerState.READY_FOR_TEST, False)} if steps == 4 else before)
    go(servers, *FORWARD[:4])
    assert seen(servers) == {(ServerState.CUTTING_OVER, True)}


@pytest.mark.parametrize(
    ("before", "verb"),
    [
        ((), "launch_test"),
        (("replicate",), "end_test"),
        (("replicate",), "launch_cutover"),
        (("replicate", "launch_test"), "launch_cutover"),
        (FORWARD[:3], "finalize"),
        (FORWARD[:4], "launch_test"),
        (FORWARD[:4], "retire_source"),
        (FORWARD[:5], "revert"),
        (FORWARD[:5], "end_cutover"),
        (FORWARD[:5], "replicate"),
    ],
)
def test_a_verb_is_refused_and_nothing_changes_when_the_state_does_not_allow_it(
    servers: Servers, before: tuple[str, ...], verb: str
) -> None:
    go(servers, *before)
    states = seen(servers)
    with pytest.raises(WrongState) as refused:
        go(servers, verb)
    assert set(refused.value.states) == set(NAMES)
    assert seen(servers) == states
