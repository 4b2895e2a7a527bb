from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from crossfade.infra import written
from crossfade.infra.errors import ReviewFailed
from crossfade.infra.stacks.stack import acknowledge
from crossfade.infra.synthesis import synthesise
from tests.infra.templates import least


def bare(folder: Path, *reasons: str) -> cdk.App:
    app = cdk.App(outdir=str(folder), analytics_reporting=False)
    topic = sns.Topic(cdk.Stack(app, "bare"), "Topic")
    for reason in reasons:
        acknowledge(topic, reason, "AwsSolutions-SNS3", "SNSEncryptedKMS")
    return app


def test_a_finding_that_nobody_acknowledged_fails_the_review(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(written, "build", lambda *_, **__: bare(tmp_path / "out"))
    with pytest.raises(ReviewFailed) as raised:
        synthesise(least(), tmp_path / "out", review=True)
    assert any(finding.startswith("AwsSolutions-SNS3 at bare/Topic") for finding in raised.value.findings)


def test_a_finding_passes_when_its_resource_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(written, "build", lambda *_, **__: bare(tmp_path / "out", "It carries nothing but a test."))
    assert synthesise(least(), tmp_path / "out", review=True).stacks[0].name == "bare"


def test_findings_are_never_acknowledged_for_a_whole_stack(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False)
    with pytest.raises(TypeError, match="beside the resource"):
        acknowledge(cdk.Stack(app, "whole"), "too many", "AwsSolutions-SNS3")
