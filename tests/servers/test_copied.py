"""Copying, launching and looking: what only the real adapter can get wrong."""

import errno
import json
import os
from pathlib import Path

import pytest

from crossfade.model.seen import ServerState, ServerStatus
from crossfade.model.terms import NoData
from crossfade.servers.errors import (
    CopyFailed,
    InstancesNotReady,
    LegacyUnfit,
    StatesNotWritten,
    StatesUnreadable,
    WrongState,
)
from tests.servers.sites import IMPATIENT, NAMES, PATIENT, Sites


def statuses(sites: Sites) -> dict[str, ServerStatus]:
    found = sites.servers().states()
    assert isinstance(found, tuple)
    return {status.name: status for status in found}


def contents(folder: Path) -> dict[str, bytes]:
    found = {}
    for file in folder.rglob("*"):
        if file.is_file():
            found[file.relative_to(folder).as_posix()] = file.read_bytes()
    return found


def test_the_twin_has_release_and_translated_settings_when_replicated(sites: Sites) -> None:
    sites.servers().replicate()
    for twin in sites.twins:
        folder = sites.twin(twin.legacy)
        assert contents(folder / "release") == contents(sites.release(twin.legacy))
        assert (folder / "release" / "run").stat().st_mode & 0o100
        assert json.loads((folder / "settings.json").read_text()) == {
            "name": twin.name,
            "arm": "modern",
            "port": twin.port,
            "share": "/target/share",
            "service_ms": 12,
        }


def test_only_what_differs_is_copied_when_replicated_again(sites: Sites) -> None:
    servers = sites.servers()
    servers.replicate()
    kept = sites.twin("app-01") / "release" / "pages" / "account.html"
    inode = kept.stat().st_ino
    (sites.release("app-01") / "app.py").write_text("version 2\n")
    servers.replicate()
    assert (sites.twin("app-01") / "release" / "app.py").read_text() == "version 2\n"
    assert kept.stat().st_ino == inode
    assert len(list((sites.twin("app-01") / "releases").iterdir())) == 1


def test_a_file_is_gone_from_the_twin_when_it_left_the_release(sites: Sites) -> None:
    sites.servers().replicate()
    (sites.release("app-01") / "pages" / "account.html").unlink()
    sites.servers().replicate()
    assert sorted(contents(sites.twin("app-01") / "release")) == ["app.py", "run"]


def test_a_damaged_copy_is_mended_when_replicated_again(sites: Sites) -> None:
    sites.servers().replicate()
    (sites.twin("app-01") / "release" / "app.py").write_text("version 0\n")  # same length
    sites.servers().replicate()
    assert (sites.twin("app-01") / "release" / "app.py").read_text() == "version 1\n"


def test_the_newest_release_is_launched_when_it_changed_after_replication(sites: Sites) -> None:
    servers = sites.servers()
    servers.replicate()
    servers.launch_test()
    servers.end_test()
    for name in NAMES:
        (sites.release(name) / "app.py").write_text("version 2\n")
    servers.launch_cutover()
    assert {started.release for started in sites.target.started.values()} == {"version 2\n"}


def test_a_running_instance_keeps_its_release_when_replicated_meanwhile(sites: Sites) -> None:
    servers = sites.servers()
    servers.replicate()
    servers.launch_test()
    (sites.release("app-01") / "app.py").write_text("version 2\n")
    servers.replicate()
    assert (sites.twin("app-01") / "release" / "app.py").read_text() == "version 1\n"


def test_every_fault_of_every_server_is_reported_together_when_releases_are_unfit(sites: Sites) -> None:
    (sites.release("app-01") / "outside").symlink_to("/etc/passwd")
    (sites.release("app-02").parent / "settings.json").write_text('{"name": "app-02"}')
    (sites.release("app-03").parent / "settings.json").unlink()
    with pytest.raises(LegacyUnfit) as refused:
        sites.servers().replicate()
    assert {(fault.server, fault.place.rsplit("/", 1)[-1]) for fault in refused.value.faults} == {
        ("app-01", "outside"),
        ("app-02", "settings.json arm"),
        ("app-02", "settings.json port"),
        ("app-03", "settings.json"),
    }
    assert all(fault.remedy for fault in refused.value.faults)
    assert not sites.places.target_servers.exists()


def test_test_instances_run_apart_on_their_own_ports_when_launched(sites: Sites) -> None:
    servers = sites.servers()
    servers.replicate()
    servers.launch_test()
    assert {(s.name, s.kind, s.server.server_port) for s in sites.target.started.values()} == {
        (f"{twin.name}-test", "test", twin.test_port) for twin in sites.twins
    }


def test_instances_have_answered_several_times_when_launched_for_users(sites: Sites) -> None:
    servers = sites.servers()
    for verb in (servers.replicate, servers.launch_test, servers.end_test, servers.launch_cutover):
        verb()
    for twin in sites.twins:
        assert sites.target.requests.count((twin.name, "/readyz")) == 3


def test_the_others_arrive_and_the_silent_one_is_named_when_one_is_not_ready(sites: Sites) -> None:
    sites.target.unready = {"aws-app-02-test"}
    sites.readiness = IMPATIENT
    sites.servers().replicate()
    with pytest.raises(InstancesNotReady) as failed:
        sites.servers().launch_test()
    assert failed.value.retryable
    assert set(failed.value.reasons) == {"aws-app-02-test"}
    assert statuses(sites)["app-01"].state is ServerState.TESTING
    assert statuses(sites)["app-02"].state is ServerState.READY_FOR_TEST
    sites.target.unready = set()
    sites.readiness = PATIENT
    sites.servers().launch_test()
    assert {status.state for status in statuses(sites).values()} == {ServerState.TESTING}


def test_an_instance_is_not_ready_when_another_program_answers_on_its_port(sites: Sites) -> None:
    sites.target.answers_as = {"aws-app-01-test": "somebody"}
    sites.readiness = IMPATIENT
    sites.servers().replicate()
    with pytest.raises(InstancesNotReady, match="somebody"):
        sites.servers().launch_test()


def test_an_instance_is_seen_as_not_running_when_it_died(sites: Sites) -> None:
    servers = sites.servers()
    servers.replicate()
    servers.launch_test()
    sites.target.stop("aws-app-01-test")
    assert not statuses(sites)["app-01"].instance_running
    assert statuses(sites)["app-02"].instance_running
    sites.servers().launch_test()
    assert statuses(sites)["app-01"].instance_running


def test_a_server_is_not_ready_when_its_replica_is_gone(sites: Sites) -> None:
    sites.servers().replicate()
    (sites.twin("app-03") / "manifest.json").unlink()
    assert statuses(sites)["app-03"].state is ServerState.NOT_READY
    with pytest.raises(WrongState, match="app-03"):
        sites.servers().launch_test()
    sites.servers().replicate()
    sites.servers().launch_test()


def test_nothing_is_left_on_the_target_when_reverted(sites: Sites) -> None:
    servers = sites.servers()
    for verb in (servers.replicate, servers.launch_test, servers.end_test, servers.launch_cutover, servers.revert):
        verb()
    assert not sites.target.started
    assert list(sites.places.target_servers.iterdir()) == []


def test_only_the_legacy_servers_stop_when_the_source_is_retired(sites: Sites) -> None:
    for twin in sites.twins:
        folder = sites.release(twin.legacy).parent
        sites.source.start(twin.legacy, kind="production", directory=folder, port=0)
    sites.source.start("database-proxy", kind="production", directory=sites.release("app-01").parent, port=0)
    servers = sites.servers()
    for verb in (servers.replicate, servers.launch_test, servers.end_test, servers.launch_cutover, servers.finalize):
        verb()
    assert len(sites.source.started) == 4
    servers.retire_source()
    assert list(sites.source.started) == ["database-proxy"]
    assert len(sites.target.started) == 3


def test_states_are_no_data_when_the_record_is_damaged(sites: Sites) -> None:
    sites.servers().replicate()
    sites.places.states.write_text('{"version": 1, "servers": {"app-01": "FINE"}}')
    assert isinstance(sites.servers().states(), NoData)
    with pytest.raises(StatesUnreadable):
        sites.servers().launch_test()


def test_the_failure_is_told_with_its_remedy_when_the_disk_is_full(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CopyFailed, match="No space left") as failed:
        sites.servers().replicate()
    assert failed.value.retryable
    assert "Make room" in failed.value.remedy
    monkeypatch.undo()
    sites.servers().replicate()
    assert {status.state for status in statuses(sites).values()} == {ServerState.READY_FOR_TEST}


def test_the_states_before_stand_when_the_new_ones_cannot_be_written(
    sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    sites.servers().replicate()
    replaced = Path.replace

    def full(place: Path, wanted: Path) -> Path:
        if wanted == sites.places.states:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replaced(place, wanted)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StatesNotWritten):
        sites.servers().launch_test()
    monkeypatch.undo()
    assert {status.state for status in statuses(sites).values()} == {ServerState.READY_FOR_TEST}
    sites.servers().launch_test()
    assert len(sites.target.started) == 3
