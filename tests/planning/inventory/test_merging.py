"""What several sources tell of one server, and what they contradict each other on."""

from pathlib import Path

from tests.planning.inventory.exports import SMALL, is_accounted_for, read, written

INFO = "VM,Powerstate,CPUs,Memory,DNS Name,Primary IP Address,VM UUID"
FORM = "ServerId,HostName,IPAddress,MACAddress,SMBiosId,OS.Name,CPU.NumberOfLogicalCores,RAM.TotalSizeInMB"
ONE, TWO = "4201aaaa-bbbb-cccc-dddd-eeeeffff0001", "4201aaaa-bbbb-cccc-dddd-eeeeffff0002"


def test_two_tools_tell_of_one_server_when_its_uuid_agrees(tmp_path: Path) -> None:
    rvtools = written(tmp_path / "a.csv", INFO, f"Web 1 (prod),poweredOn,2,4096,,,{ONE}")
    discovery = written(tmp_path / "b.csv", FORM, f"d-1,web1.corp.example,10.0.0.1,,{ONE.upper()},Linux,2,4096")
    found = read(rvtools, discovery)
    (server,) = found.servers
    assert (server.name, server.host_names, server.ids) == ("Web 1 (prod)", ("web1.corp.example",), ("ads-server:d-1",))
    assert [(m.reason, m.value) for m in found.merges] == [("UUID", ONE)]
    assert [(place.source, place.row) for place in found.merges[0].places] == [(str(rvtools), 2), (str(discovery), 2)]
    assert (found.merged_rows, is_accounted_for(found)) == (1, True)


def test_each_kind_of_evidence_merges_and_says_so(tmp_path: Path) -> None:
    network = written(tmp_path / "n.csv", "VM,NIC label,Adapter,Mac Address", "by-mac,nic 1,Vmxnet3,00:50:56:aa:00:01")
    rvtools = written(
        tmp_path / "a.csv",
        INFO,
        "by-mac,poweredOn,2,4096,,,",
        "by-name,poweredOn,2,4096,app2.corp.example,,",
        "by-address,poweredOn,2,4096,,10.0.0.3,",
        "app4,poweredOn,2,4096,,,",
    )
    discovery = written(
        tmp_path / "b.csv",
        FORM,
        "d-1,,,00-50-56-AA-00-01,,Linux,2,4096",
        "d-2,APP2.corp.example,,,,Linux,2,4096",
        "d-3,,10.0.0.3,,,Linux,2,4096",
        "d-4,app4.corp.example,,,,Linux,2,4096",
    )
    found = read(network, rvtools, discovery)
    assert [server.name for server in found.servers] == ["by-mac", "by-name", "by-address", "app4"]
    assert {(m.name, m.reason) for m in found.merges} == {
        ("by-mac", "MAC"),
        ("by-name", "host name"),
        ("by-address", "address"),
        ("app4", "host name"),
    }
    assert is_accounted_for(found)


def test_what_sources_contradict_each_other_on_is_left_open_and_listed(tmp_path: Path) -> None:
    rvtools = written(tmp_path / "a.csv", INFO, f"web1,poweredOn,2,4096,,,{ONE}")
    discovery = written(tmp_path / "b.csv", FORM, f"d-1,web1,,,{ONE},Linux,4,4096")
    found = read(rvtools, discovery)
    assert (found.servers[0].cpus, found.servers[0].memory_mib) == (None, 4096)
    (conflict,) = found.conflicts
    assert (conflict.name, conflict.column) == ("web1", "cpus")
    assert {value: places[0].source for value, places in conflict.told.items()} == {
        "2": str(rvtools),
        "4": str(discovery),
    }


def test_servers_that_a_tool_tells_apart_stay_apart_when_they_share_a_name_and_an_address(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv", INFO, f"web1,poweredOn,2,4096,,10.0.0.1,{ONE}", f"web1,poweredOff,2,4096,,10.0.0.1,{TWO}"
    )
    found = read(path)
    assert [server.name for server in found.servers] == [f"web1 [{ONE}]", f"web1 [{TWO}]"]
    assert {conflict.column for conflict in found.conflicts} >= {"identity (host name)", "identity (address)"}


def test_clones_are_not_merged_when_they_kept_the_host_name_of_their_model(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        INFO,
        "web1,poweredOn,2,4096,web.corp,10.0.0.1,",
        "web1-clone,poweredOff,2,4096,web.corp,10.0.0.1,",
    )
    assert [server.name for server in read(path).servers] == ["web1", "web1-clone"]


def test_a_bare_name_is_nobody_s_when_two_full_names_begin_with_it(tmp_path: Path) -> None:
    discovery = written(tmp_path / "b.csv", FORM, "d-1,web.east.corp,,,,Linux,2,1", "d-2,web.west.corp,,,,Linux,2,1")
    intake = written(tmp_path / "c.csv", "server_name,wave_name,app_name", "web,Wave 1,shop")
    found = read(discovery, intake)
    assert [server.name for server in found.servers] == ["web.east.corp", "web.west.corp", "web"]
    assert [(c.name, c.column) for c in found.conflicts] == [("web", "identity (host name)")]


def test_a_repeated_row_is_one_server_and_counted_as_merged(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", INFO, *["web1,poweredOn,2,4096,,10.0.0.1,"] * 3)
    found = read(path)
    assert len(found.servers) == 1
    assert found.conflicts == ()
    assert (found.accepted, found.merged_rows, len(found.merges)) == (3, 2, 2)


def test_addresses_that_every_server_has_merge_nobody(tmp_path: Path) -> None:
    discovery = written(tmp_path / "b.csv", FORM, "d-1,,127.0.0.1;169.254.1.1,,,Linux,2,1")
    rvtools = written(tmp_path / "a.csv", INFO, "web1,poweredOn,2,4096,localhost,127.0.0.1,")
    assert len(read(discovery, rvtools).servers) == 2


def test_a_sample_read_twice_is_the_same_servers_once() -> None:
    once, twice = read(SMALL), read(SMALL, SMALL)
    assert [server.name for server in twice.servers] == [server.name for server in once.servers]
    assert [server.disks for server in twice.servers] == [server.disks for server in once.servers]
    assert twice.conflicts == ()
    assert is_accounted_for(twice)


def test_the_end_of_a_dependency_is_left_open_when_its_name_and_address_are_of_two_servers(tmp_path: Path) -> None:
    rvtools = written(tmp_path / "a.csv", INFO, "web1,poweredOn,2,4096,,10.0.0.1,", "db1,poweredOn,2,4096,,10.0.0.2,")
    azure = written(
        tmp_path / "d.csv",
        "Source server name,Source process,Destination server name,Destination IP,Destination port",
        "web1,java,db1,10.0.0.1,5432",
    )
    found = read(rvtools, azure)
    assert found.dependencies[0].source.server == "web1"
    assert not found.dependencies[0].destination.is_known
    assert [(c.name, c.column) for c in found.conflicts] == [("db1", "destination")]


def test_the_same_sources_give_the_same_inventory() -> None:
    assert read(SMALL) == read(SMALL)


def test_a_database_that_a_row_tells_of_is_not_told_again_by_its_process(tmp_path: Path) -> None:
    azure = written(
        tmp_path / "d.csv",
        "Source server name,Source process,Destination server name,Destination process,Destination port",
        "web1,java,db1,postgres,5432",
        "web1,java,db2,mysqld.exe,3306",
    )
    own = written(tmp_path / "own.csv", "record,name,engine,server", "database,orders,PostgreSQL,db1", "server,db1,,")
    found = read(azure, own)
    assert [(d.name, d.engine, d.server, d.evidence) for d in found.databases] == [
        ("orders", "PostgreSQL", "db1", "told"),
        ("MySQL of db2", "MySQL", "db2", "process mysqld.exe"),
    ]
    assert is_accounted_for(found)
