"""How long the reference case takes to synthesise, beside a bare CDK application with the very same resources.

Run with `.venv/bin/python -m benchmarks.synthesis`; results go to benchmarks/results/synthesis.json. Some minutes.

The bare application has the same stacks, and in them each resource of the written templates as one `CfnResource` with
its finished properties: no construct, no grant, no policy, no reference to be resolved. Nothing in CDK makes as many
resources with less. Both are timed after imports, each run in a process of its own, in turns, so that whatever else the
computer does hits both. Seconds depend on that load; processor time, Python's and Node's together, hardly does.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import psutil

from crossfade.infra.synthesis import load_libraries, synthesise
from crossfade.model.file import MigrationFile, load

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "synthesis.json"
EXAMPLE = ROOT / "examples" / "ledger" / "migration.yaml"
PAIRS = 15


def reference() -> MigrationFile:
    file = load(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name)
    assert isinstance(file, MigrationFile)
    return file


def ours(_: Path, out: Path) -> int:
    return sum(stack.resources for stack in synthesise(reference(), out).stacks)


def bare(templates: Path, out: Path) -> int:
    app = cdk.App(outdir=str(out), analytics_reporting=False)
    count = 0
    for path in sorted(templates.glob("*.template.json")):
        stack = cdk.Stack(app, path.name.split(".", 1)[0])
        for identity, resource in json.loads(path.read_text(encoding="utf-8"))["Resources"].items():
            cdk.CfnResource(stack, identity, type=resource["Type"], properties=resource.get("Properties", {}))
            count += 1
    app.synth()
    return count


WAYS: dict[str, Callable[[Path, Path], int]] = {"ours": ours, "bare": bare}


def once(way: str, templates: Path) -> dict[str, float]:
    """One synthesis in this process: seconds, processor seconds of this process and of Node, and resources."""
    import_all()
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    with tempfile.TemporaryDirectory() as folder:
        used, began = _used(processes), time.perf_counter()
        resources = WAYS[way](templates, Path(folder) / "cdk.out")
        return {
            "seconds": time.perf_counter() - began,
            "processor_seconds": _used(processes) - used,
            "resources": resources,
        }


def import_all() -> None:
    """Python's modules, and Node's that they stand for, which would otherwise be loaded at their first use."""
    load_libraries()
    for name, module in sorted(sys.modules.items()):
        if name.startswith("aws_cdk.aws_"):
            kinds = (getattr(module, kind) for kind in dir(module) if kind.startswith("Cfn"))
            next((kind.CFN_RESOURCE_TYPE_NAME for kind in kinds if hasattr(kind, "CFN_RESOURCE_TYPE_NAME")), None)
    cdk.App()


def _used(processes: list[psutil.Process]) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in processes)


def elsewhere(way: str, templates: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.synthesis", "--once", way, "--templates", str(templates)]
    told: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, cwd=ROOT).stdout)
    return told


def compare(pairs: int) -> Iterator[dict[str, Any]]:
    """After each pair: medians of each way, and of the ratios within the pairs. Each pair begins with the other way."""
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        templates = Path(folder) / "cdk.out"
        synthesise(reference(), templates)
        for pair in range(pairs):
            for way in list(WAYS)[:: 1 if pair % 2 else -1]:
                runs[way].append(elsewhere(way, templates))
            yield {"load_before": round(load, 1), **summary(runs)}


def summary(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Both ways made the same number of resources, or it fails."""
    (resources,) = {run["resources"] for of_way in runs.values() for run in of_way}
    found: dict[str, Any] = {"resources": resources, "pairs": len(runs["ours"])}
    for measure in ("seconds", "processor_seconds"):
        for way, of_way in runs.items():
            found[f"{way}_{measure}"] = round(statistics.median(run[measure] for run in of_way), 2)
        ratios = [a[measure] / b[measure] for a, b in zip(runs["ours"], runs["bare"], strict=True)]
        found[f"{measure}_ratio"] = round(statistics.median(ratios), 3)
        found[f"{measure}_ratios"] = [round(ratio, 2) for ratio in ratios]
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--once", choices=list(WAYS))
    parser.add_argument("--templates", type=Path, default=Path())
    asked = parser.parse_args()
    if asked.once:
        print(json.dumps(once(asked.once, asked.templates)))
        return
    for found in compare(asked.pairs):
        RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(found, flush=True)


if __name__ == "__main__":
    main()
