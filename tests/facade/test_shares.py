"""The facade reads by itself what the traffic role writes: these tests hold the two together."""

import threading
from pathlib import Path

import pytest

from crossfade.facade import Facade, Mode, RuntimeFolder, SharesFlags, SharesUnreadable
from crossfade.facade.rollout import Rollout
from crossfade.model.seen import Shares
from crossfade.traffic import runtime
from tests.facade.doubles import PATIENT, legacy, modern, whom


def put(folder: Path, canary: float, mirror: float = 0.0) -> None:
    runtime.forget(runtime.write(folder, Shares(canary_percent=canary, mirror_percent=mirror)).replaced)


@pytest.mark.parametrize("canary", [0.0, 0.001, 5.0, 15.5, 99.999, 100.0])
@pytest.mark.parametrize("mirror", [0.0, 0.001, 10.0, 100.0])
def test_shares_are_those_that_the_router_was_given(canary: float, mirror: float, tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    put(tmp_path, canary, mirror)
    read = RuntimeFolder(tmp_path)()
    assert (read.canary_percent, read.mirror_percent) == pytest.approx((canary, mirror), abs=1e-9)


def test_a_facade_goes_up_the_ladder_and_back_with_the_router(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    for canary, expected in ((0, "legacy for x"), (100, "modern for x"), (0, "legacy for x")):
        put(tmp_path, canary)
        with Facade(SharesFlags(RuntimeFolder(tmp_path)), settings=PATIENT) as facade:
            balance = facade.experiment("balance", legacy=legacy, modern=modern, user=whom, side_effects=False)
            assert balance("x") == expected


def test_canary_users_get_the_mode_that_was_asked_for(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    put(tmp_path, 25)
    flags = SharesFlags(RuntimeFolder(tmp_path), canary=Mode.SHADOW)
    assert flags.rollout("balance") == Rollout(mode=Mode.SHADOW, percent=25)


def test_shares_are_of_one_version_while_they_are_replaced(tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    put(tmp_path, 10, 90)
    ended = threading.Event()

    def replacing() -> None:
        while not ended.is_set():
            for canary in (10, 30):
                put(tmp_path, canary, 100 - canary)

    writer = threading.Thread(target=replacing)
    writer.start()
    try:
        read = [RuntimeFolder(tmp_path)() for _ in range(300)]
    finally:
        ended.set()
        writer.join()
    assert {shares.canary_percent + shares.mirror_percent for shares in read} == {100.0}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("traffic.weight.modern", "many"),
        ("traffic.weight.modern", "-5000"),
        ("traffic.weight.legacy", ""),
        ("traffic.mirror", "[]"),
        ("traffic.mirror", '{"numerator": 5}'),
        ("traffic.mirror", '{"numerator": 5, "denominator": "DOZEN"}'),
        ("traffic.mirror", '{"numerator": -5, "denominator": "MILLION"}'),
    ],
)
def test_nothing_is_guessed_when_what_stands_there_is_spoilt(key: str, value: str, tmp_path: Path) -> None:
    runtime.prepare(tmp_path)
    put(tmp_path, 50)
    (tmp_path / runtime.LINK / key).write_text(value)
    with pytest.raises(SharesUnreadable):
        RuntimeFolder(tmp_path)()


def test_nothing_is_guessed_when_nothing_stands_there(tmp_path: Path) -> None:
    with pytest.raises(SharesUnreadable) as unreadable:
        RuntimeFolder(tmp_path / "nowhere")()
    assert "No such file" in str(unreadable.value)
