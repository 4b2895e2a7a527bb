"""A7 and A11: the names by which users are led, and the roll back that leads them back."""

from tests.infra.templates import Templates, text


def weighted(built: Templates) -> dict[str, dict[str, object]]:
    return {r["SetIdentifier"]: r for r in built.properties("AWS::Route53::RecordSet") if "SetIdentifier" in r}


def test_everybody_is_on_the_source_at_the_beginning(built: Templates) -> None:
    records = weighted(built)
    assert {side: record["Weight"] for side, record in records.items()} == {"source": 255, "target": 0}
    assert {record["Name"] for record in records.values()} == {"app.ledger.internal"}


def test_both_sides_are_of_one_type_and_time_to_live(built: Templates) -> None:
    assert {(r["Type"], r["TTL"]) for r in weighted(built).values()} == {("CNAME", "30")}


def test_a_private_target_is_checked_by_an_alarm(built: Templates) -> None:
    config = built.one("AWS::Route53::HealthCheck")["HealthCheckConfig"]
    assert config["Type"] == "CLOUDWATCH_METRIC"
    assert config["InsufficientDataHealthStatus"] == "LastKnownStatus"
    assert "HealthCheckId" in weighted(built)["target"]
    assert "HealthCheckId" not in weighted(built)["source"]


def test_the_source_is_where_the_web_tier_stands(built: Templates) -> None:
    (record,) = [r for r in built.properties("AWS::Route53::RecordSet") if r["Name"].startswith("source.")]
    assert record["ResourceRecords"] == [f"192.168.10.{n}" for n in (11, 12, 13, 14)]


def test_each_side_resolves_the_others_names(built: Templates) -> None:
    directions = {e["Direction"] for e in built.properties("AWS::Route53Resolver::ResolverEndpoint")}
    assert directions == {"INBOUND", "OUTBOUND"}
    rule = built.one("AWS::Route53Resolver::ResolverRule")
    assert rule["DomainName"] == "corp.example"
    assert [t["Ip"] for t in rule["TargetIps"]] == ["192.168.1.53", "192.168.2.53"]


def test_every_reason_starts_the_roll_back(built: Templates) -> None:
    rule = text(built.one("AWS::CloudWatch::CompositeAlarm")["AlarmRule"])
    for reason in ("TargetHealth", "TargetErrors", "TargetP95", "VpnDown", "ReplicationLag"):
        assert reason in rule


def test_no_missing_data_starts_a_roll_back(built: Templates) -> None:
    alarms = {a["AlarmName"].removesuffix("-prod"): a for a in built.properties("AWS::CloudWatch::Alarm")}
    starting = ("target-health", "target-errors", "target-p95", "vpn-down", "replication-lag")
    assert {alarms[f"alarm-{name}"]["TreatMissingData"] for name in starting} <= {"missing", "notBreaching"}


def test_the_roll_back_moves_the_weights_of_one_name_only(built: Templates) -> None:
    (statement,) = [
        s
        for _, policy in built.every("AWS::IAM::ManagedPolicy")
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
        if s["Sid"] == "MoveWeights"
    ]
    assert statement["Action"] == "route53:ChangeResourceRecordSets"
    assert "hostedzone" in text(statement["Resource"])
    assert "app.ledger.internal" in text(statement["Condition"])


def test_an_alarm_that_cannot_be_acted_upon_is_kept_and_told(built: Templates) -> None:
    function = next(f for f in built.properties("AWS::Lambda::Function") if f.get("FunctionName"))
    assert function["DeadLetterConfig"]["TargetArn"]
    alarms = {a["AlarmName"] for a in built.properties("AWS::CloudWatch::Alarm")}
    assert {"alarm-rollback-failed-prod", "alarm-rollback-lost-prod"} <= alarms
