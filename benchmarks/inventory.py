"""What reading an inventory costs beside openpyxl's own reading of the same workbook: time, and memory.

Run with `.venv/bin/python -m benchmarks.inventory`; results go to benchmarks/results/inventory.json. About two minutes.
Workbooks are as RVTools exports them: vInfo with 95 columns, vDisk, vPartition, vNetwork. Each way of reading runs in a
process of its own, in turn, so what else the computer does meets all of them; ratios are medians within a round.
`sheets`: the workbook examined and every row read, nothing kept: its memory should not grow with the rows. `inventory`:
all of it, merged and kept.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import openpyxl

RESULTS = Path(__file__).parent / "results" / "inventory.json"
ROUNDS = {1_000: 3, 10_000: 1}  # by number of servers
WAYS = ("openpyxl", "sheets", "inventory")
_INFO = ["VM", "Powerstate", "Template", "CPUs", "Memory", "Provisioned MiB", "In Use MiB", "Primary IP Address"]
_INFO += ["DNS Name", "VM UUID", "OS according to the VMware Tools", "Datacenter", "Cluster", "Host"]
_FILLER = [f"Other column {n}" for n in range(95 - len(_INFO))]


def workbook(path: Path, servers: int) -> None:
    book = openpyxl.Workbook(write_only=True)
    info, disk = book.create_sheet("vInfo"), book.create_sheet("vDisk")
    partition, network = book.create_sheet("vPartition"), book.create_sheet("vNetwork")
    info.append([*_INFO, *_FILLER])
    disk.append(["VM", "Disk", "Disk Key", "Capacity MiB", "Unit #"])
    partition.append(["VM", "Disk", "Capacity MiB", "Consumed MiB", "Free MiB"])
    network.append(["VM", "NIC label", "Adapter", "Network", "Mac Address", "IPv4 Address"])
    for n in range(servers):
        name, address = f"server-{n:05}", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}"
        values = [name, "poweredOn", "False", 4, 8192, 102400, 51200, address, f"{name}.corp.example"]
        values += [
            f"4201aaaa-bbbb-cccc-dddd-{n:012x}",
            "Ubuntu Linux (64-bit)",
            "dc",
            f"cluster{n % 8}",
            f"esx{n % 99}",
        ]
        info.append([*values, *[n % 7 for _ in _FILLER]])
        for unit in range(2):
            disk.append([name, f"Hard disk {unit + 1}", str(2000 + unit), 51200, unit])
            partition.append([name, ("/", "/var")[unit], 51200, 20480, 30720])
        network.append(
            [
                name,
                "Network adapter 1",
                "Vmxnet3",
                "net",
                f"00:50:56:{n >> 16:02x}:{n >> 8 & 255:02x}:{n & 255:02x}",
                address,
            ]
        )
    book.save(path)


def measured(way: str, path: str) -> dict[str, float]:
    """In a process of its own: seconds of CPU, and how far memory rose above what the libraries themselves need."""
    from crossfade.planning.inventory import read_inventory  # noqa: PLC0415 - loaded before the measurement begins
    from crossfade.planning.inventory.sheets import ignored  # noqa: PLC0415
    from crossfade.planning.inventory.workbook import workbook_sheets  # noqa: PLC0415

    before, began = _peak_mib(), time.process_time()
    if way == "openpyxl":
        rows = 0
        for sheet in openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets:
            rows += sum(1 for _ in sheet.iter_rows(values_only=True))
    elif way == "sheets":
        with Path(path).open("rb") as file:
            rows = sum(1 for sheet in workbook_sheets(path, file, ignored, 1) for _ in sheet.lines)
    else:
        found = read_inventory([Path(path)])
        rows = sum(account.rows for account in found.accounts)
        assert not found.problems
    return {"rows": rows, "seconds": time.process_time() - began, "mib": _peak_mib() - before}


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(way: str, path: Path) -> dict[str, float]:
    program = [sys.executable, "-m", "benchmarks.inventory", way, str(path)]
    told: dict[str, float] = json.loads(subprocess.run(program, check=True, capture_output=True, text=True).stdout)
    return told


def of_size(path: Path, servers: int) -> dict[str, Any]:
    workbook(path, servers)
    rounds = [{way: _apart(way, path) for way in WAYS} for _ in range(ROUNDS[servers])]
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    result: dict[str, Any] = {
        "rounds": ROUNDS[servers],
        "servers": servers,
        "rows": rounds[0]["inventory"]["rows"],
        "xml_mib": round(unpacked / 2**20, 1),
    }
    for way in WAYS:
        result[way] = {
            "seconds": round(statistics.median(each[way]["seconds"] for each in rounds), 2),
            "mib": round(statistics.median(each[way]["mib"] for each in rounds), 1),
            "times_openpyxl": round(
                statistics.median(each[way]["seconds"] / each["openpyxl"]["seconds"] for each in rounds), 2
            ),
        }
    print(json.dumps(result), flush=True)
    return result


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measured(sys.argv[1], sys.argv[2])))
        return
    with tempfile.TemporaryDirectory(prefix="crossfade-") as folder:
        results = [of_size(Path(folder) / f"{servers}.xlsx", servers) for servers in ROUNDS]
    RESULTS.write_text(json.dumps({"workbooks": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
