"""Bugs of the switch, the fence and the way back."""

from typing import Any

import pytest

from crossfade.database import fence, state, way_back
from crossfade.database.attempt import Attempt
from crossfade.database.channel import Channel
from crossfade.database.looks import _CHAIN as CHAIN
from crossfade.database.session import Session
from crossfade.database.switch import Switch
from crossfade.invariants import Rule
from crossfade.simulation.postgres import functions
from crossfade.simulation.postgres.catalog import BATCH
from crossfade.simulation.postgres.locks import Mode
from crossfade.simulation.postgres.reads import READS
from crossfade.simulation.postgres.storage import WRITER_ROW
from tests.simulation.plants.plant import DOUBLED, HALTS, LOST, ONE_AT_THE_END, OUTCOME, RECORDED, SEQUENCES, Garden

GARDEN = Garden()


def _now(point: str) -> str:
    return f"SELECT '{point}', extract(epoch FROM clock_timestamp())"


@GARDEN.plant("Both ledgers take transfers, and each knows only half of them.", Rule.ONE_WRITER)
def no_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "fence_script", lambda _: _now("fenced"))


@GARDEN.plant("The nightly batch goes on posting to the old ledger, where nobody will ever look.", Rule.ONE_WRITER)
def a_fence_that_misses_a_role(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = functions.stoppable

    def all_but_the_batch(server: Any, tx: Any) -> Any:
        writer = tx.seen(server.catalog).writer
        switching = writer is not None and writer.epoch > 0
        return tuple(grant for grant in whole(server, tx) if not (switching and grant.role == BATCH))

    monkeypatch.setattr(functions, "stoppable", all_but_the_batch)


@GARDEN.plant("A transfer that began before the fence commits behind the drain, acknowledged and lost.", LOST, HALTS)
def no_lock_after_the_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "lock_script", lambda *_: _now("locked"))


@GARDEN.plant("The marker overtakes the last transfers, and what comes after it stays behind.", LOST, HALTS)
def the_marker_before_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    closing = Switch._closing

    def reordered(self: Switch, attempt: Attempt) -> dict[str, str]:
        scripts = closing(self, attempt)
        return {point: scripts[point] for point in ("fenced", "marked", "locked")}

    monkeypatch.setattr(Switch, "_closing", reordered)


@GARDEN.plant("The new ledger opens before the last transfers have arrived in it.", LOST, Rule.VERIFIED, HALTS)
def the_drain_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    taking_over = Switch._taking_over

    def hurried(self: Switch, attempt: Attempt, slot: str) -> dict[str, str]:
        seen = f"BEGIN; SELECT crossfade.mark('opening', '{attempt.token}'); COMMIT; {_now('taken_over')}"
        return {**taking_over(self, attempt, slot), "drained": _now("drained"), "taken_over": seen}

    monkeypatch.setattr(Switch, "_taking_over", hurried)


@GARDEN.plant(
    "Transfers that came from the old ledger are sent back to it, and the way back stands still.",
    HALTS, Rule.WAY_BACK, DOUBLED, LOST, OUTCOME,
)  # fmt: skip
def the_slot_advanced_before_the_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    taking_over = Switch._taking_over

    def reordered(self: Switch, attempt: Attempt, slot: str) -> dict[str, str]:
        scripts = taking_over(self, attempt, slot)
        return {point: scripts[point] for point in ("drained", "advanced", "guarded", "taken_over")}

    monkeypatch.setattr(Switch, "_taking_over", reordered)


@GARDEN.plant("The first transfers on the new ledger ask for numbers that are taken, and are refused.", SEQUENCES)
def sequences_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    def without(token: str, margin: int) -> str:
        flushed = "BEGIN; SET LOCAL synchronous_commit = on"
        return f"{flushed}; SELECT crossfade.mark('opening', '{token}'); COMMIT; {_now('taken_over')}"

    monkeypatch.setattr(fence, "take_over_script", without)


@GARDEN.plant("After a crash everything the old ledger sent is sent back to it.", HALTS, Rule.WAY_BACK, DOUBLED)
def where_the_way_back_begins_not_noted(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = fence.open_script
    monkeypatch.setattr(fence, "open_script", lambda epoch, way_back=None: opened(epoch))


@GARDEN.plant("What the new ledger has received returns to the old one.", HALTS, Rule.WAY_BACK, DOUBLED)
def the_slot_not_advanced_and_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing_left(server: Any, task: Any, tx: Any, args: list[str]) -> Any:
        yield server.latency.statement()
        return 0

    monkeypatch.setattr(fence, "advance_script", lambda _: _now("advanced"))
    monkeypatch.setitem(functions.FUNCTIONS, "crossfade.unskipped", nothing_left)


@GARDEN.plant("An answer is lost, and both ledgers are open.", Rule.ONE_WRITER)
def the_old_side_opened_without_asking_the_new(monkeypatch: pytest.MonkeyPatch) -> None:
    def settle(self: Switch, attempt: Attempt) -> bool:
        if attempt.old.closed:
            self._reconnect(attempt)
        attempt.old.roll_back()
        attempt.old.run(fence.open_script(attempt.epoch), patience=self._settings.drain_timeout)
        return False

    monkeypatch.setattr(Switch, "_settle", settle)


@GARDEN.plant("The second attempt undoes the first, and both ledgers are open.", Rule.ONE_WRITER, LOST)
def a_retry_that_does_not_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Switch, "_check_state", lambda _, attempt: not state.state_of(attempt.old).open)


@GARDEN.plant(
    "An engine that stood still for minutes wakes and moves the writes again, behind the others' backs.",
    Rule.ONE_WRITER, OUTCOME, ONE_AT_THE_END, RECORDED, LOST, HALTS,
)  # fmt: skip
def an_epoch_that_is_over_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(server: Any, task: Any, tx: Any, epoch: int, *, opening: bool) -> Any:
        yield from server.lock(task, tx, WRITER_ROW, Mode.EXCLUSIVE)
        tx.stage(writer=functions._writer(server, tx)._replace(open=opening, epoch=epoch, since=server.now()))

    def check_state(self: Switch, attempt: Attempt) -> bool | None:
        old, new = state.state_of(attempt.old), state.state_of(attempt.new)
        return None if new.open and not old.open else not old.open

    monkeypatch.setattr(functions, "claim", claim)
    monkeypatch.setattr(Switch, "_check_state", check_state)


@GARDEN.plant("Two engines move the writes at once, each undoing what the other does.", Rule.ONE_WRITER, LOST)
def a_switch_that_nobody_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "hold", lambda _, **__: None)


@GARDEN.plant("After the cutover nobody knows whether the old ledger hears of anything.", RECORDED, Rule.WAY_BACK)
def the_way_back_not_proven(monkeypatch: pytest.MonkeyPatch) -> None:
    def wake(settings: Any, primary: Session, other: Session) -> None:
        Channel(other, primary).put_to_sleep()
        way_back.begin_where_opened(Channel(primary, other))
        Channel(primary, other).awaken()
        primary.run(fence.mark_script(way_back.PURPOSE, "unseen"), patience=settings.drain_timeout)

    monkeypatch.setattr(way_back, "wake", wake)


@GARDEN.plant("The old ledger hears of the first transfer after the cutover, and of none after it.", Rule.WAY_BACK)
def the_way_back_asleep_after_its_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    wake = way_back.wake

    def wake_for_a_moment(settings: Any, primary: Session, other: Session) -> None:
        wake(settings, primary, other)
        Channel(primary, other).put_to_sleep()

    monkeypatch.setattr(way_back, "wake", wake_for_a_moment)


@GARDEN.plant("Transfers fall out between two slots of one name, and nobody counts them.", LOST, HALTS, Rule.WAY_BACK)
def a_slot_made_anew_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Channel, "check_slot", lambda _: None)
    chain = READS[CHAIN]
    monkeypatch.setitem(READS, CHAIN, lambda *given: [(last, False) for last, _ in chain(*given)])
