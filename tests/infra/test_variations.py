"""Whatever the file says, the templates can be made, hang together, and leave nothing behind."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from crossfade.infra.demands import demands
from crossfade.infra.findings import findings
from crossfade.infra.synthesis import synthesise
from tests.infra.templates import Templates, least, survivors

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
CHANGES: dict[str, st.SearchStrategy[Any]] = {
    "environment__suffix": st.from_regex(r"[a-z][a-z0-9]{0,4}(-[a-z0-9]{1,4})?", fullmatch=True),
    "environment__account": st.sampled_from([None, "123456789012"]),
    "target__zone_count": st.integers(2, 4),
    "target__cidr": st.sampled_from(["10.0.0.0/16", "10.1.0.0/22", "172.20.0.0/18"]),
    "target__load_balancer": st.sampled_from(
        [{}, {"idle_timeout_seconds": 4000}, {"certificate": "arn:aws:acm:us-east-1:123456789012:certificate/1"}]
    ),
    "servers__engine": st.sampled_from(["mgn", "cloudendure"]),
    "aws_tools": st.sampled_from([{}, {"migration_hub": True}, {"discovery": True}]),
    "target__containers": st.sampled_from([{"image": "registry.example/app"}, {"image": f"{ECR}/app:1", "tasks": 1}]),
    "target__compute": st.sampled_from(["ec2", "ecs"]),
    "traffic__strategy": st.sampled_from(["canary", "blue-green"]),
    "database__target": st.sampled_from(
        [{}, {"engine": "aurora", "version": 16}, {"multi_az": False}, {"engine": "aurora", "multi_az": False}]
    ),
    "events": st.sampled_from(
        [{}, {"kinesis": True}, {"eventbridge": False}, {"journal": "sqlite"}, {"tracking_table": False}]
    ),
    "connectivity__direct_connect": st.sampled_from([{}, {"enabled": True, "connection": "dxcon-fg000001"}]),
    "connectivity__vpn__customer_asn": st.sampled_from([65000, 4_200_000_000]),
    "traffic__dns": st.sampled_from([{}, {"resolver_endpoints": False}, {"zone": "corp.internal", "record": "www"}]),
    "metrics__log_retention_days": st.integers(1, 3653),
}


@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],  # to shrink takes minutes; the failing file is told whole
)
@given(st.fixed_dictionaries(CHANGES))
def test_any_sound_file_leads_to_stacks_that_can_be_deployed_and_destroyed(changes: dict[str, Any]) -> None:
    file = least(**{path: value for path, value in changes.items() if value is not None})
    assume(not demands(file))
    with tempfile.TemporaryDirectory() as folder:
        assembly = synthesise(file, Path(folder) / "cdk.out")
        templates = Templates(Path(folder) / "cdk.out")
        assert survivors(templates) == []
        assert findings(templates.folder) == ()
        deployed: set[str] = set()
        for stack in assembly.stacks:
            assert set(stack.needs) <= deployed, "a stack comes after those that it needs, so there is no cycle"
            deployed.add(stack.name)
            assert stack.name.endswith(f"-{file.environment.suffix}")
            assert 0 < stack.resources <= 500


def test_synthesis_asks_nobody_when_the_account_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With an explicit account CDK would ask AWS for its zones and write down that it must."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    file = least(environment__account="123456789012")
    synthesise(file, tmp_path / "cdk.out", review=True)
    manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text(encoding="utf-8"))
    assert not manifest.get("missing")
    zones = {s["AvailabilityZone"] for s in Templates(tmp_path / "cdk.out").properties("AWS::EC2::Subnet")}
    assert zones == {"us-east-1a", "us-east-1b", "us-east-1c"}
