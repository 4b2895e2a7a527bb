"""`crossfade metrics` against a Prometheus in memory."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from crossfade.cli.application import app
from crossfade.cli.output import Exit
from crossfade.metrics.errors import MetricsUndescribed, TokenMissing
from crossfade.model.terms import Side
from tests.metrics.prometheus_double import Double, prometheus
from tests.model.file.files import with_values


@pytest.fixture
def double() -> Iterator[Double]:
    with prometheus() as running:
        running.now = datetime.now(UTC)
        (router,) = running.targets.values()
        router.serve(Side.SOURCE, 90, failed=False)
        router.serve(Side.SOURCE, 10, failed=True)
        router.serve(Side.TARGET, 7, failed=False)
        for arm in ("legacy", "modern"):
            router.count("tried_total", 5, arm=arm)
            router.count("accepted_total", 4, arm=arm)
        running.pass_time(-10)
        running.scrape()
        running.pass_time(10)
        yield running


def ran(folder: Path, **changes: Any) -> Result:
    file = folder / "migration.yaml"
    file.write_text(with_values(**changes), encoding="utf-8")
    return CliRunner().invoke(app, ["metrics", str(file), "--json"])


def of_prometheus(double: Double) -> dict[str, Any]:
    return {"metrics__engine": "prometheus", "metrics__url": double.url}


def test_both_arms_are_shown_when_the_queries_count(double: Double, tmp_path: Path) -> None:
    business = {"name": "transfers", "good": 'accepted_total{arm="{arm}"}', "total": 'tried_total{arm="{arm}"}'}
    result = ran(tmp_path, **of_prometheus(double), metrics__business=[business])
    assert result.exit_code == Exit.DONE, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["baseline"]["requests"], told["baseline"]["errors"], told["canary"]["requests"]) == (100, 10, 7)
    assert "baseline  100 requests, 10 errors, median" in result.stderr
    assert "transfers: 4 of 5 went well" in result.stderr


def test_reason_is_told_when_there_are_no_counts(double: Double, tmp_path: Path) -> None:
    result = ran(tmp_path, **of_prometheus(double), metrics__prometheus__canary="modren")
    assert result.exit_code == Exit.ENDED_OTHERWISE
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["counts"] is False
    assert "modren" in told["reason"]


def test_own_selectors_are_asked_and_other_latencies_are_not(double: Double, tmp_path: Path) -> None:
    own = {"requests": 'tried_total{arm="{arm}"}', "errors": 'failed_total{arm="{arm}"}'}
    result = ran(tmp_path, **of_prometheus(double), metrics__prometheus=own)
    assert result.exit_code == Exit.DONE, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert (told["canary"]["requests"], told["canary"]["errors"], told["canary"]["latency"]) == (5, 0, None)


@pytest.mark.parametrize("where", ["env", "file"])
def test_token_is_read_where_the_file_says(
    double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    (tmp_path / "token").write_text("hunter2\n", encoding="utf-8")
    monkeypatch.setenv("METRICS_TOKEN", "hunter2")
    named = "env:METRICS_TOKEN" if where == "env" else f"file:{tmp_path / 'token'}"
    result = ran(tmp_path, **of_prometheus(double), metrics__credentials=named)
    assert result.exit_code == Exit.DONE, result.output
    assert double.headers[0]["Authorization"] == "Bearer hunter2"
    assert "hunter2" not in result.output


@pytest.mark.parametrize("named", ["env:NOT_SET_ANYWHERE", "file:/nowhere/token", "ssm:/token"])
def test_a_missing_token_is_told_before_anything_is_asked(double: Double, tmp_path: Path, named: str) -> None:
    result = ran(tmp_path, **of_prometheus(double), metrics__credentials=named)
    assert isinstance(result.exception, TokenMissing)
    assert named in str(result.exception)
    assert double.asked == []


def test_what_is_missing_is_named_when_cloudwatch_is_not_described(tmp_path: Path) -> None:
    result = ran(tmp_path, metrics__engine="cloudwatch")
    assert isinstance(result.exception, MetricsUndescribed)
    assert result.exception.key == "cloudwatch"
