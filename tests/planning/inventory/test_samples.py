"""Real exports, counted by a way of their own."""

import shutil
from collections import Counter
from pathlib import Path

import pytest

from crossfade.planning.inventory.records import Partition, Power
from tests.planning.inventory.exports import (
    LARGE,
    SAMPLES,
    SMALL,
    is_accounted_for,
    lines_of_text,
    read,
    read_large,
    rows_of_workbook,
)

EVERY_FILE = sorted(path for path in SAMPLES.rglob("*") if path.suffix in {".csv", ".xlsx"})
USED = {"vInfo", "vDisk", "vPartition", "vNetwork", "vCPU", "vMemory", "vHost"}


def test_every_sample_is_there() -> None:
    assert len(EVERY_FILE) == 11


@pytest.mark.parametrize("path", [SMALL, LARGE], ids=lambda path: path.stem)
def test_each_row_of_a_workbook_is_read_when_counted_independently(path: Path) -> None:
    found = read_large() if path == LARGE else read(path)
    rows = rows_of_workbook(path)
    assert found.problems == ()
    assert {account.sheet: account.rows for account in found.accounts} == {name: len(r) - 1 for name, r in rows.items()}
    for account in found.accounts:
        assert account.accepted == (account.rows if account.sheet in USED else 0)
    names = [row[0] for row in rows["vInfo"][1:]]
    assert [server.name for server in found.servers] == names
    assert len(found.hosts) == len(rows["vHost"]) - 1
    assert is_accounted_for(found)


def test_old_headers_are_read_when_a_workbook_has_blank_rows_among_them() -> None:
    found = read_large()
    assert len(found.servers) == 805
    assert next(a.blank for a in found.accounts if a.sheet == "vInfo") == 2698
    first = found.servers[0]
    assert (first.name, first.cpus, first.memory_mib, first.disk_mib, first.disk_used_mib) == (
        *("wadfs1", 1, 4096, 86201, 62420),
    )
    assert first.power is Power.ON
    assert first.addresses == ("10.0.0.0",)
    assert first.partitions == (Partition(path="C:\\", capacity_mib=81916, used_mib=41510),)
    rows = rows_of_workbook(LARGE)
    told = Counter(row[0].casefold() for row in rows["vPartition"][1:])
    assert {s.name.casefold(): len(s.partitions) for s in found.servers if s.partitions} == dict(told)
    assert sum(s.memory_mib or 0 for s in found.servers) == sum(int(row[4]) for row in rows["vInfo"][1:])


def test_new_headers_are_read_with_disks_partitions_and_interfaces() -> None:
    found = read(SMALL)
    database = found.servers[1]
    assert [disk.capacity_mib for disk in database.disks] == [102400, 225280]
    assert database.partitions[1] == Partition(path="D:\\", capacity_mib=225280, used_mib=184320)
    assert database.addresses == ("10.10.2.20", "10.10.3.20")
    assert database.mac_addresses == ("00:50:56:aa:00:02", "00:50:56:aa:00:03")
    assert (database.firmware, database.cpu_average_percent) == ("efi", 62.0)
    assert database.networks == ("sample-db-net", "sample-backup-net")
    assert found.servers[2].power is Power.OFF


def test_recommendations_stay_three_servers_when_only_their_host_name_agrees() -> None:
    found = read(SAMPLES / "ads" / "EC2InstanceRecommendations.csv")
    assert len(found.servers) == 3 == len(lines_of_text(SAMPLES / "ads" / "EC2InstanceRecommendations.csv"))
    assert [conflict.column for conflict in found.conflicts] == ["identity (host name)"]
    first, *_, last = found.servers
    assert (first.cpus, first.cores, first.memory_mib) == (16, 8, 12005)
    assert (first.cpu_average_percent, first.cpu_peak_percent) == (67.22, 98.34)
    assert (first.recommended_instance, last.recommended_instance) == ("c6a.4xlarge", None)
    assert found.applications[0].name == "LinuxApp"


def test_a_form_that_holds_its_header_alone_is_no_problem() -> None:
    found = read(SAMPLES / "ads" / "import_template_HEADER_ONLY.csv")
    assert (found.servers, found.problems) == ((), ())
    assert found.formats == ("aws-application-discovery",)


def test_intake_form_is_read_with_waves_tiers_and_tags() -> None:
    path = SAMPLES / "cmf" / "server-list.csv"
    found = read(path)
    rows = lines_of_text(path)
    assert [server.name for server in found.servers] == [row[4] for row in rows]
    assert [server.wave for server in found.servers] == [row[0] for row in rows]
    assert found.servers[0].tags == ("CostCenter=123", "BU=IT", "Location=US")
    assert (found.servers[1].tier, found.servers[1].environment, found.servers[1].strategy) == ("db", "dev", "Rehost")
    assert {a.name: len(a.servers) for a in found.applications} == dict(Counter(row[1] for row in rows))
    (conflict,) = found.conflicts  # its author copied a row and forgot the name
    assert conflict.name == "server6.example.local"


def test_a_mark_of_utf_8_and_a_missing_last_line_end_change_nothing() -> None:
    found = read(SAMPLES / "cmf" / "test_valid.csv")
    assert [server.name for server in found.servers] == ["unittest1"]
    assert (found.servers[0].wave, found.servers[0].tags) == ("Unittest Wave 1", ("testkey=testvalue",))


def test_four_bytes_that_are_no_header_are_told_with_what_is_known() -> None:
    found = read(SAMPLES / "cmf" / "test_invalid.csv")
    (problem,) = found.problems
    assert "no known format" in problem.problem
    assert "rvtools" in problem.remedy
    assert (found.accounts[0].rows, found.accounts[0].refused) == (1, 1)


def test_connections_between_processes_become_dependencies() -> None:
    path = SAMPLES / "azure" / "dependency-export-sample.csv"
    found = read(path)
    rows = lines_of_text(path)
    assert [(d.source.told, d.destination.told, d.port) for d in found.dependencies] == [
        (row[1], row[4], int(row[8])) for row in rows
    ]
    assert found.dependencies[1].destination.address == "10.0.0.5"
    assert found.dependencies[1].destination_process == "sqlservr.exe"
    assert [(d.engine, d.server) for d in found.databases] == [("SQL Server", "db1-server")]


def test_applications_and_the_directions_between_them_are_read() -> None:
    found = read(SAMPLES / "konveyor" / "sample-applications.csv")
    assert [a.name for a in found.applications] == ["Customers", "Inventory", "Gateway"]
    assert found.applications[0].business_service == "Retail"
    assert "Operating System=RHEL 8" in found.applications[0].tags
    ends = [(d.source.application, d.destination.application) for d in found.dependencies]
    assert ends == [("Gateway", "Inventory"), ("Gateway", "Customers")]
    assert [d.engine for d in found.databases] == ["Oracle", "Postgresql"]


def test_each_row_that_is_wrong_is_told_with_its_place_and_remedy() -> None:
    found = read(SAMPLES / "konveyor" / "invalid-record-type.csv")
    assert found.applications == ()
    assert [(p.row, p.column, p.problem) for p in found.problems] == [
        (2, "Record Type 1", "has the record type '3'"),
        (3, "Record Type 1", "has the record type '100'"),
    ]
    assert all("1 for an application" in problem.remedy for problem in found.problems)


def test_a_row_of_separators_is_blank_and_rows_keep_their_numbers() -> None:
    found = read(SAMPLES / "konveyor" / "empty-row.csv")
    assert [a.places[0].row for a in found.applications] == [2, 4]
    assert found.accounts[0].blank == 1


def test_all_samples_are_read_together_when_they_lie_in_one_folder() -> None:
    found = read(SAMPLES)
    assert len(found.servers) == 805 + 3 + 3 + 8 + 1
    assert len(found.dependencies) == 5 + 2
    assert {account.source for account in found.accounts} >= {str(path) for path in EVERY_FILE}
    assert is_accounted_for(found)


def test_an_archive_of_exports_is_read_like_its_folder(tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "exports"), "zip", SAMPLES / "cmf")
    found = read(Path(archive))
    assert [server.name for server in found.servers] == [server.name for server in read(SAMPLES / "cmf").servers]
    assert {p.source for p in found.problems} == {f"{archive}/test_invalid.csv"}
