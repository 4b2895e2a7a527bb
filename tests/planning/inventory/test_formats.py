"""Formats of which no sample is kept, as their documentation has them."""

from pathlib import Path

import pytest

from crossfade.planning.inventory import read_inventory
from crossfade.planning.inventory.records import Disk, Power
from tests.planning.inventory.exports import SAMPLES, SMALL, headings, is_accounted_for, read, table, written

AGENT = "o-4uvt5vfsd4dq2e3gf"
OTHER = "o-19bub6kx628zxp16t"


def agent_exports(folder: Path) -> Path:
    """What two agents export: a web server that asks a database."""
    a = "123456789012"
    connections = headings(
        "accountNumber,agentId,sourceIp,sourcePort,destinationIp,destinationPort,ipVersion,transportProtocol,"
        "agentAssignedProcessId,agentCreationDate"
    )
    table(
        folder / f"{a}_osInfo.csv",
        [
            headings("accountNumber,agentId,osName,osVersion,cpuType,hostName,hypervisor,timestamp"),
            (a, AGENT, "Linux", "5.10", "x86_64", "web1.corp.example", "VMware", "2026-01-01"),
            (a, OTHER, "Linux", "5.10", "x86_64", "db1.corp.example", "VMware", "2026-01-01"),
        ],
    )
    table(
        folder / f"{a}_networkInterface.csv",
        [
            headings("accountNumber,agentId,name,macAddress,family,ipAddress,gateway,netMask,timestamp"),
            (a, AGENT, "eth0", "00:50:56:aa:00:01", "IPv4", "10.1.0.1", "10.1.0.254", "255.255.255.0", ""),
            (a, OTHER, "eth0", "00:50:56:aa:00:02", "IPv4", "10.1.0.2", "10.1.0.254", "255.255.255.0", ""),
        ],
    )
    table(
        folder / f"{a}_process.csv",
        [
            headings("accountNumber,agentId,agentAssignedProcessId,isSystem,name,cmdLine,path,timestamp"),
            (a, AGENT, "p1", "false", "java", "java -Dpassword=hunter2", "/usr/bin/java", ""),
            (a, OTHER, "p9", "false", "postgres", "postgres -D /data", "/usr/bin/postgres", ""),
        ],
    )
    table(
        folder / f"{a}_systemPerformance.csv",
        [
            headings(
                "accountNumber,agentId,totalNumLogicalProcessors,totalNumCores,totalCpuUsagePct,totalDiskSizeInGB,"
                "totalDiskFreeSizeInGB,totalRamInMB,totalFreeRamInMB,timestamp"
            ),
            (a, AGENT, 4, 2, "20.0", 100, 60, 8192, 4096, "2026-01-01 00:00"),
            (a, AGENT, 4, 2, "40.0", 100, 55, 8192, 2048, "2026-01-01 00:15"),
        ],
    )
    table(
        folder / f"{a}_sourceProcessConnection.csv",
        [
            connections,
            *[(a, AGENT, "10.1.0.1", 40000 + i, "10.1.0.2", 5432, "IPv4", "TCP", "p1", "") for i in range(3)],
        ],
    )
    table(
        folder / f"{a}_destinationProcessConnection.csv",
        [connections, (a, OTHER, "10.1.0.1", 40001, "10.1.0.2", 5432, "IPv4", "TCP", "p9", "")],
    )
    return folder


def test_what_agents_export_becomes_servers_their_load_and_their_dependencies(tmp_path: Path) -> None:
    found = read(agent_exports(tmp_path))
    assert (found.problems, found.conflicts) == ((), ())
    web, database = found.servers
    assert (web.name, web.addresses, web.cpus, web.cores) == ("web1.corp.example", ("10.1.0.1",), 4, 2)
    assert (web.cpu_average_percent, web.memory_average_percent, web.disk_used_mib) == (30.0, 62.5, 45 * 1024)
    assert web.processes == ("java",)
    assert [(d.engine, d.server) for d in found.databases] == [("PostgreSQL", database.name)]
    asked = [d for d in found.dependencies if d.source_process]
    answered = [d for d in found.dependencies if d.destination_process]
    assert [(d.source.server, d.destination.server, d.port, d.source_process, d.connections) for d in asked] == [
        (web.name, database.name, 5432, "java", 3)
    ]
    assert [d.destination_process for d in answered] == ["postgres"]
    assert is_accounted_for(found)


def test_command_lines_of_processes_are_kept_nowhere(tmp_path: Path) -> None:
    assert "hunter2" not in repr(read(agent_exports(tmp_path)))


def test_import_form_of_discovery_is_read_and_a_row_without_any_identity_refused(tmp_path: Path) -> None:
    header = (
        "ExternalId,SMBiosId,IPAddress,MACAddress,HostName,VMware.MoRefId,VMware.VCenterId,OS.Name,RAM.TotalSizeInMB,"
        "Applications,Tags"
    )
    path = written(
        tmp_path / "form.csv",
        header,
        "e1,420123f0-c8f1-42d8-a4a7-6e3e2b0c1d11,10.0.0.9,00-50-56-AA-00-09,app9,vm-9,vc-1,Linux,8192,"
        '"shop, billing","zone:1, critical:yes"',
        ",,,,,vm-10,,Linux,8192,,",
    )
    found = read(path)
    (server,) = found.servers
    assert server.ids == ("external:e1", "moref:vc-1/vm-9")
    assert (server.applications, server.tags) == (("shop", "billing"), ("zone:1", "critical:yes"))
    assert (server.mac_addresses, server.uuid) == (("00:50:56:aa:00:09",), "420123f0-c8f1-42d8-a4a7-6e3e2b0c1d11")
    assert [(p.row, p.problem) for p in found.problems] == [(3, "cannot be told from other servers")]
    assert is_accounted_for(found)


def test_import_form_of_azure_is_read_with_all_its_disks(tmp_path: Path) -> None:
    path = written(
        tmp_path / "import.csv",
        "*Server name,IP addresses,*Cores,*Memory (In MB),*OS name,CPU utilization percentage,Network In throughput,"
        "Boot type,Storage in use (In GB),Disk 1 size (In GB),Disk 2 size (In GB)",
        "fin-app01,10.9.0.11;10.9.0.12,4,16384,Red Hat Enterprise Linux 8.9,18,2,BIOS,40,100,20",
        ",10.9.0.99,2,4096,Windows,,,,,,",
    )
    found = read(path)
    (server,) = found.servers
    assert server.addresses == ("10.9.0.11", "10.9.0.12")
    assert server.disks == (Disk(name="disk 1", capacity_mib=102400), Disk(name="disk 2", capacity_mib=20480))
    assert (server.disk_mib, server.disk_used_mib, server.network_in_kib_s) == (122880, 40960, 2048.0)
    assert [(p.row, p.column) for p in found.problems] == [(3, "*Server name")]


@pytest.mark.parametrize(
    "name",
    [
        "VM,Powerstate,Template,CPUs,Memory,Provisioned MB,Primary IP Address",
        "vInfoVMName,vInfoPowerstate,vInfoTemplate,vInfoCPUs,vInfoMemory,vInfoProvisioned,vInfoPrimaryIPAddress",
    ],
)
def test_headers_of_every_age_are_known_when_rvtools_wrote_csv(tmp_path: Path, name: str) -> None:
    path = written(
        tmp_path / "x.csv", name, "app1,poweredOn,False,2,4096,20480,10.0.0.1", "tmpl,poweredOff,True,1,1024,2048,"
    )
    app, template = read(path).servers
    assert (app.cpus, app.memory_mib, app.disk_mib, app.power, app.addresses) == (
        2,
        4096,
        20480,
        Power.ON,
        ("10.0.0.1",),
    )
    assert template.is_template is True


def test_sheets_of_rvtools_are_one_export_when_they_lie_in_one_folder(tmp_path: Path) -> None:
    written(
        tmp_path / "a.csv",
        "VM,Powerstate,CPUs,Memory,VM UUID",
        "app1,poweredOn,2,4096,4201aaaa-bbbb-cccc-dddd-eeeeffff0001",
    )
    written(
        tmp_path / "b.csv",
        "VM,Disk,Disk Key,Capacity MiB,Unit #",
        "app1,Hard disk 1,2000,10240,0",
        "APP1,Hard disk 2,2001,512,1",
    )
    written(tmp_path / "c.csv", "VM,Snapshot,Size MiB (total)", "app1,before,100")
    found = read(tmp_path)
    (server,) = found.servers
    assert [disk.capacity_mib for disk in server.disks] == [10240, 512]
    assert found.merges == ()  # details are no duplicates
    assert found.accounts[2].passed_over == 1
    assert is_accounted_for(found)


SOCKETS = """\
State     Recv-Q Send-Q  Local Address:Port   Peer Address:Port  Process
LISTEN    0      128           0.0.0.0:40000       0.0.0.0:*      users:(("app server",pid=7,fd=3))
ESTAB     0      0           10.0.0.1:40000      10.0.0.7:51000   users:(("app server",pid=7,fd=9))
ESTAB     0      0           10.0.0.1:51234      10.0.0.5:5432    users:(("java",pid=8,fd=5))
ESTAB     0      0           10.0.0.1:51236      10.0.0.5:5432    users:(("java",pid=8,fd=6))
ESTAB     0      0        [::ffff:10.0.0.1]:443  [::ffff:10.0.0.8]:50001
ESTAB     0      0          127.0.0.1:5000      127.0.0.1:41000
ESTAB     0      0           10.0.0.1:50123      10.0.0.9:50124"""


def test_sockets_become_dependencies_in_the_direction_that_was_asked(tmp_path: Path) -> None:
    found = read(written(tmp_path / "ss.txt", *SOCKETS.splitlines()))
    told = [
        (d.source.address, d.destination.address, d.port, d.direction_known, d.connections) for d in found.dependencies
    ]
    assert told == [
        ("10.0.0.7", "10.0.0.1", 40000, True, 1),
        ("10.0.0.1", "10.0.0.5", 5432, True, 2),
        ("10.0.0.8", "10.0.0.1", 443, True, 1),
        ("10.0.0.1", "10.0.0.9", 50124, False, 1),
    ]
    assert found.dependencies[0].destination_process == "app server"
    assert found.dependencies[1].source_process == "java"
    assert [p.row for p in found.problems] == [8]
    (account,) = found.accounts
    assert (account.rows, account.accepted, account.passed_over) == (7, 5, 2)
    assert is_accounted_for(found)


def test_netstat_is_read_like_ss(tmp_path: Path) -> None:
    found = read(
        written(
            tmp_path / "netstat.txt",
            "Active Internet connections (servers and established)",
            "Proto Recv-Q Send-Q Local Address           Foreign Address         State       PID/Program name",
            "tcp        0      0 0.0.0.0:22              0.0.0.0:*               LISTEN      1/sshd",
            "tcp6       0      0 10.0.0.1:51234          10.0.0.5:1521           ESTABLISHED 8/java",
        )
    )
    assert [(d.destination.address, d.port, d.protocol, d.source_process) for d in found.dependencies] == [
        ("10.0.0.5", 1521, "tcp", "java")
    ]


@pytest.mark.parametrize("has_header", [True, False])
def test_flow_logs_are_counted_into_dependencies(tmp_path: Path, has_header: bool) -> None:
    header = (
        "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action"
        " log-status"
    )
    lines = [
        "2 123456789010 eni-1235b8ca 10.0.0.1 10.0.0.5 49152 5432 6 20 4249 1418530010 1418530070 ACCEPT OK",
        "2 123456789010 eni-1235b8ca 10.0.0.5 10.0.0.1 5432 49152 6 20 900 1418530010 1418530070 ACCEPT OK",
        "2 123456789010 eni-1235b8ca 10.0.0.66 10.0.0.5 49153 22 6 1 40 1418530010 1418530070 REJECT OK",
        "2 123456789010 eni-1235b8ca - - - - - - - 1431280876 1431280934 - NODATA",
    ]
    found = read(written(tmp_path / "flows.log", *([header] if has_header else []), *lines))
    assert found.problems == ()
    assert [
        (d.source.address, d.destination.address, d.port, d.connections, d.volume_bytes) for d in found.dependencies
    ] == [("10.0.0.1", "10.0.0.5", 5432, 2, 5149)]
    assert found.accounts[0].passed_over == 2
    assert is_accounted_for(found)


def test_our_own_csv_needs_no_more_than_what_is_known(tmp_path: Path) -> None:
    found = read(
        written(
            tmp_path / "own.csv",
            "record;name;address;cpus;application;owner;source;destination;port;latency_ms",
            "server;web1;10.0.0.1;2;shop;Ann;;;;",
            "server;db1;10.0.0.2;4;shop;;;;;",
            "application;shop;;;;Ann;;;;",
            "dependency;;;;;;web1;db1;5432;5",
            "database;orders;;;shop;;;;;",
            "printer;hp;;;;;;;;",
        )
    )
    assert [s.applications for s in found.servers] == [("shop",), ("shop",)]
    assert found.applications[0].servers == ("web1", "db1")
    assert [(d.source.server, d.destination.server, d.latency_ms) for d in found.dependencies] == [("web1", "db1", 5.0)]
    assert [(d.name, d.application) for d in found.databases] == [("orders", "shop")]
    assert [(p.row, p.column, p.problem) for p in found.problems] == [(7, "record", "has the record 'printer'")]


def test_northbound_is_the_other_way_round_and_none_is_refused(tmp_path: Path) -> None:
    found = read(
        written(
            tmp_path / "k.csv",
            "Record Type 1,Application Name,Description,Comments,Business Service,Dependency,Dependency Direction",
            "2,Inventory,,,,Gateway,northbound",
            "2,Inventory,,,,Gateway,",
        )
    )
    assert [(d.source.application, d.destination.application) for d in found.dependencies] == [("Gateway", "Inventory")]
    assert [(p.row, p.column) for p in found.problems] == [(3, "Dependency Direction")]


def test_a_column_of_ours_that_is_misspelt_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    found = read(written(tmp_path / "own.csv", "record,name,memory_mb,cpus,cpus", "server,web1,4096,2,4"))
    assert [(p.row, p.column, p.problem) for p in found.problems] == [
        (1, "memory_mb", "is no column of our CSV"),
        (1, "cpus", "stands twice; the first one was read"),
    ]
    assert "memory_mib is" in found.problems[0].remedy
    assert found.servers[0].cpus == 2


def test_a_file_of_blank_lines_is_told(tmp_path: Path) -> None:
    (problem,) = read(written(tmp_path / "blank.csv", "", "  ", "")).problems
    assert "blank lines" in problem.problem


def test_the_example_of_our_own_csv_is_read_whole() -> None:
    found = read(Path(__file__).parents[3] / "examples" / "inventory" / "plain.csv")
    assert found.problems == ()
    assert [s.applications for s in found.servers] == [("ledger",)] * 3
    assert [(d.engine, d.version, d.size_mib, d.server) for d in found.databases] == [
        ("PostgreSQL", "13", 512000, "db1")
    ]
    assert [files.path for files in found.files] == ["/srv/statements"]
    assert [d.latency_ms for d in found.dependencies] == [2.0, 2.0, None]


def test_names_of_files_say_nothing(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes((SAMPLES / "konveyor" / "sample-applications.csv").read_bytes())
    (tmp_path / "rvtools.csv").write_bytes(SMALL.read_bytes())
    found = read(tmp_path)
    assert found.formats == ("konveyor", "rvtools")
    assert found.problems == ()


def test_a_text_that_begins_like_a_state_of_a_socket_is_still_a_csv(tmp_path: Path) -> None:
    found = read(
        written(
            tmp_path / "own.csv",
            "description,record,name",
            "Closed in spring by all its users,application,shop",
            "tcp gateway of the old data center,application,gate",
        )
    )
    assert [a.name for a in found.applications] == ["shop", "gate"]


def test_sockets_without_a_header_are_known(tmp_path: Path) -> None:
    found = read(
        written(
            tmp_path / "ss.txt",
            "tcp ESTAB 0 0 10.0.0.1:51234 10.0.0.5:5432",
            "udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:*",
        )
    )
    assert [(d.destination.address, d.port) for d in found.dependencies] == [("10.0.0.5", 5432)]


@pytest.mark.parametrize("source", [SMALL, SAMPLES / "cmf" / "server-list.csv"], ids=lambda path: path.suffix)
def test_progress_rises_to_the_size_of_the_file(source: Path) -> None:
    told: list[tuple[int, int]] = []
    read_inventory([source], lambda _, done, size: told.append((done, size)))
    done = [each for each, _ in told]
    assert {size for _, size in told} == {source.stat().st_size}
    assert done == sorted(done)
    assert done[-1] == source.stat().st_size
