import pytest

from crossfade.model.seen import ServerState
from crossfade.servers.errors import WrongState
from crossfade.servers.states import TRANSITIONS, Verb, after
from crossfade.servers.twin import Twin


def test_no_verb_leads_away_from_final_when_a_server_is_final() -> None:
    for verb, allowed in TRANSITIONS.items():
        for state in (ServerState.CUTOVER, ServerState.DISCONNECTED):
            assert allowed.get(state, state) in {ServerState.CUTOVER, ServerState.DISCONNECTED}, verb


def test_repeating_leads_nowhere_else_when_a_verb_was_brought_about() -> None:
    for verb, allowed in TRANSITIONS.items():
        for wanted in allowed.values():
            assert allowed[wanted] == wanted, verb


def test_none_moves_when_one_server_is_in_the_wrong_state() -> None:
    states = {"app-01": ServerState.TESTING, "app-02": ServerState.NOT_READY}
    with pytest.raises(WrongState) as refused:
        after(Verb.END_TEST, states)
    assert refused.value.states == {"app-02": ServerState.NOT_READY}
    assert "app-02 is NOT_READY" in str(refused.value)


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\0b"])
def test_a_twin_is_refused_when_its_name_could_lead_out_of_the_sites_folder(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a server's name"):
        Twin(legacy=name, name="aws-1", port=1, test_port=2)
