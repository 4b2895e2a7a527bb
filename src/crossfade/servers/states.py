"""Which state of a server may follow which, and by what. Pure; the words are MGN's."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from crossfade.model.seen import ServerState
from crossfade.servers.errors import WrongState


class Verb(StrEnum):
    """What the port asks for. `DISCONNECT` is the second half of `finalize`: replication's leftovers are gone."""

    REPLICATE = "replicate"
    LAUNCH_TEST = "launch_test"
    END_TEST = "end_test"
    LAUNCH_CUTOVER = "launch_cutover"
    END_CUTOVER = "end_cutover"
    FINALIZE = "finalize"
    DISCONNECT = "disconnect"
    RETIRE_SOURCE = "retire_source"
    REVERT = "revert"


_S = ServerState
_REPLICATING = (_S.READY_FOR_TEST, _S.TESTING, _S.READY_FOR_CUTOVER, _S.CUTTING_OVER)
_FINAL = (_S.CUTOVER, _S.DISCONNECTED)

TRANSITIONS: Mapping[Verb, Mapping[ServerState, ServerState]] = MappingProxyType(
    {
        Verb.REPLICATE: {_S.NOT_READY: _S.READY_FOR_TEST, **{state: state for state in _REPLICATING}},
        Verb.LAUNCH_TEST: dict.fromkeys((_S.READY_FOR_TEST, _S.TESTING, _S.READY_FOR_CUTOVER), _S.TESTING),
        Verb.END_TEST: dict.fromkeys((_S.TESTING, _S.READY_FOR_CUTOVER), _S.READY_FOR_CUTOVER),
        Verb.LAUNCH_CUTOVER: dict.fromkeys((_S.READY_FOR_CUTOVER, _S.CUTTING_OVER), _S.CUTTING_OVER),
        Verb.END_CUTOVER: {
            **{state: state for state in (_S.NOT_READY, *_REPLICATING)},
            _S.CUTTING_OVER: _S.READY_FOR_TEST,
        },
        Verb.FINALIZE: {_S.CUTTING_OVER: _S.CUTOVER, **{state: state for state in _FINAL}},
        Verb.DISCONNECT: dict.fromkeys(_FINAL, _S.DISCONNECTED),
        Verb.RETIRE_SOURCE: {state: state for state in _FINAL},
        Verb.REVERT: dict.fromkeys((_S.NOT_READY, *_REPLICATING), _S.NOT_READY),
    }
)
"""Verb → state it may be asked in → state it leads to. Source: AWS MGN user guide, 'Lifecycle'; ours is stricter in
one place: a server never tested cannot be marked ready for cutover."""


def after(verb: Verb, states: Mapping[str, ServerState]) -> dict[str, ServerState]:
    """The state of each server once `verb` has been brought about.

    Raises `WrongState`, naming every server whose state does not allow the verb: nothing is done for any then.
    """
    allowed = TRANSITIONS[verb]
    wrong = {name: state for name, state in states.items() if state not in allowed}
    if wrong:
        raise WrongState(verb=verb.value, states=wrong)
    return {name: allowed[state] for name, state in states.items()}
