from itertools import product

import pytest

from crossfade.files.plan import Action, Delivered, Mode, Signature, decide, resolve

OLD = Signature(1, 100, 1)
NEW = Signature(2, 200, 2)
NEWER = Signature(3, 300, 3)
LAST = Delivered(OLD, OLD)

EVERY = [
    (primary, other, last, mode)
    for primary, other, last, mode in product((None, OLD, NEW), (None, OLD, NEW), (None, LAST), Mode)
]


@pytest.mark.parametrize(("primary", "other", "last", "mode"), EVERY)
def test_nothing_written_on_the_side_of_the_users_is_destroyed_when_turning(
    primary: Signature | None, other: Signature | None, last: Delivered | None, mode: Mode
) -> None:
    action = decide(primary, other, last, Mode.TURN)
    written_by_users = other is not None and (last is None or other != last.other)
    if written_by_users:
        assert action in {Action.LEAVE, Action.COMPARE}


@pytest.mark.parametrize(("primary", "other", "last", "mode"), EVERY)
def test_nothing_is_deleted_when_it_was_never_delivered(
    primary: Signature | None, other: Signature | None, last: Delivered | None, mode: Mode
) -> None:
    if last is None:
        assert decide(primary, other, last, mode) is not Action.DELETE


@pytest.mark.parametrize("mode", Mode)
def test_a_new_file_is_copied_when_only_the_primary_has_it(mode: Mode) -> None:
    assert decide(NEW, None, None, mode) is Action.COPY


@pytest.mark.parametrize("mode", Mode)
def test_a_deletion_is_delivered_when_the_other_share_is_as_delivered(mode: Mode) -> None:
    assert decide(None, OLD, LAST, mode) is Action.DELETE


def test_a_stray_is_left_alone_when_the_other_share_never_was_primary() -> None:
    assert decide(None, NEW, None, Mode.FOLLOW) is Action.STRAY


def test_a_late_write_is_fetched_when_the_other_share_was_primary_before() -> None:
    assert decide(None, NEW, None, Mode.FOLLOW_BACK) is Action.FETCH
    assert decide(None, NEW, LAST, Mode.FOLLOW_BACK) is Action.FETCH


def test_a_deletion_by_the_new_primary_stands_when_turning() -> None:
    assert decide(OLD, None, LAST, Mode.TURN) is Action.LEAVE
    assert decide(OLD, None, LAST, Mode.FOLLOW) is Action.COPY


@pytest.mark.parametrize(
    ("mode", "primary", "other", "wins"),
    [
        (Mode.FOLLOW, NEW, NEWER, Action.COPY),
        (Mode.FOLLOW_BACK, NEW, NEWER, Action.FETCH),
        (Mode.FOLLOW_BACK, NEWER, NEW, Action.COPY),
        (Mode.FOLLOW_BACK, NEW, NEW, Action.COPY),
        (Mode.TURN, NEWER, NEW, Action.COPY),
        (Mode.TURN, NEW, NEWER, Action.LEAVE),
        (Mode.TURN, NEW, NEW, Action.LEAVE),
    ],
)
def test_the_later_write_wins_when_both_shares_changed(
    mode: Mode, primary: Signature, other: Signature, wins: Action
) -> None:
    assert decide(primary, other, LAST, mode) is Action.COMPARE
    assert resolve(primary, other, mode) is wins
