"""Migration files that manifests are written from."""

import itertools
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from crossfade.infra.kubernetes.manifests import KUSTOMIZATION, manifests
from crossfade.model.file import MigrationFile
from tests.model.file.files import sound, with_values

EXAMPLE = Path(__file__).parents[3] / "examples" / "kubernetes" / "migration.yaml"

BUSINESS = [{"name": "conversion", "good": 'good{arm="{arm}"}', "total": 'all{arm="{arm}"}'}]
ELSEWHERE = [{"name": "conversion", "good": "Ledger Accepted{Arm={arm}}", "total": "Ledger Tried{Arm={arm}}"}]
CLOUDWATCH = {"metrics__engine": "cloudwatch", "metrics__business": ELSEWHERE}
PROMETHEUS = {"metrics__engine": "prometheus", "metrics__url": "http://prometheus:9090", "metrics__business": BUSINESS}


def file(**changes: Any) -> MigrationFile:
    """A file that lacks nothing for manifests; `kubernetes` and others by path, as `with_values` takes them."""
    ready = {"target__containers__image": "ledger:2", "kubernetes__gateway": "entrance", **PROMETHEUS}
    return sound(with_values(**ready | changes))


def variations() -> dict[str, MigrationFile]:
    """Every strategy with every judge and every routing, with more settings on one of each."""
    found = {}
    for strategy, judge, routing in itertools.product(
        ("canary", "blue-green"), ("argo", "crossfade"), ("alb", "nginx", "istio", "gateway-api")
    ):
        settings: dict[str, Any] = {
            "traffic__strategy": strategy,
            "kubernetes__judged_by": judge,
            "kubernetes__routing": routing,
        }
        if routing == "nginx":
            settings |= {
                "traffic__ladder__start": 2.5,
                "kubernetes__autoscaling": {"max_replicas": 9},
                "kubernetes__prometheus_token": "prometheus",
                "target__containers__secrets": {"PASSWORD": "secretsmanager:ledger/password"},
                "target__containers__environment": {"LEVEL": "info"},
            }
        found[f"{strategy}-{judge}-{routing}"] = file(**settings)
    return found


VARIATIONS = variations()


def written(wanted: MigrationFile) -> list[dict[str, Any]]:
    """Every object of every document, as a cluster would read it; to be looked at, not to be changed."""
    for name, one in VARIATIONS.items():
        if one is wanted:
            return _of_variation(name)
    return _read(wanted)


@cache
def _of_variation(name: str) -> list[dict[str, Any]]:
    return _read(VARIATIONS[name])


def _read(wanted: MigrationFile) -> list[dict[str, Any]]:
    return [
        one
        for document in manifests(wanted)
        if document.path != KUSTOMIZATION
        for one in yaml.load_all(document.text, Loader=yaml.CSafeLoader)
    ]


def of_kind(wanted: MigrationFile, kind: str) -> list[dict[str, Any]]:
    return [one for one in written(wanted) if one["kind"] == kind]


def metrics(wanted: MigrationFile) -> list[dict[str, Any]]:
    """Those that Prometheus is asked for."""
    found = [one for template in of_kind(wanted, "AnalysisTemplate") for one in template["spec"]["metrics"]]
    return [one for one in found if "prometheus" in one["provider"]]
