"""A2, A8, A9, A15: the database, DMS, tables, topics and the load balancer."""

import pytest

from crossfade.infra.stacks.data import storage_gigabytes
from crossfade.infra.tracking import INDEXES
from tests.infra.granted import statements
from tests.infra.templates import Templates, least, reference, text


def test_the_database_is_encrypted_private_and_over_two_zones(built: Templates) -> None:
    database = built.one("AWS::RDS::DBInstance")
    assert database["StorageEncrypted"] is database["MultiAZ"] is database["ManageMasterUserPassword"] is True
    assert database["PubliclyAccessible"] is database["DeletionProtection"] is False
    assert database["DeleteAutomatedBackups"] is True
    assert "Key" in text(database["MasterUserSecret"])
    assert database["AllocatedStorage"] == "750"
    assert database["EnableCloudwatchLogsExports"] == ["postgresql", "upgrade"]


def test_the_database_refuses_connections_without_tls_and_can_be_replicated_back(built: Templates) -> None:
    parameters = built.one("AWS::RDS::DBParameterGroup")["Parameters"]
    assert parameters["rds.force_ssl"] == parameters["rds.logical_replication"] == "1"


def test_storage_is_half_as_much_again_when_the_file_does_not_say() -> None:
    assert storage_gigabytes(reference()) == 750
    assert storage_gigabytes(least(database__size="1GB")) == 20
    assert storage_gigabytes(least(database__size="100GB")) == 150


def test_the_replication_instance_is_as_the_file_says(built: Templates) -> None:
    instance = built.one("AWS::DMS::ReplicationInstance")
    assert instance["MultiAZ"] is True
    assert instance["PubliclyAccessible"] is False
    assert (instance["ReplicationInstanceClass"], instance["AllocatedStorage"]) == ("dms.r6i.2xlarge", 200)


def test_each_side_can_be_read_and_written_with_a_secret_and_tls(built: Templates) -> None:
    endpoints = {e["EndpointIdentifier"]: e for e in built.properties("AWS::DMS::Endpoint")}
    assert set(endpoints) == {f"endpoint-{s}-as-{u}-prod" for s in ("source", "target") for u in ("source", "target")}
    for endpoint in endpoints.values():
        assert endpoint["SslMode"] == "require"
        assert endpoint["PostgreSqlSettings"]["SecretsManagerSecretId"]
        assert not {"Password", "Username"} & endpoint.keys()


def test_an_idle_source_keeps_no_wal_and_large_objects_are_not_cut_in_silence(built: Templates) -> None:
    for endpoint in built.properties("AWS::DMS::Endpoint"):
        settings = endpoint["PostgreSqlSettings"]
        if endpoint["EndpointType"] == "source":
            assert settings["HeartbeatEnable"] is settings["FailTasksOnLobTruncation"] is True


def test_tasks_are_the_engines(built: Templates) -> None:
    assert built.properties("AWS::DMS::ReplicationTask") == []


def test_dms_reads_only_the_two_secrets(built: Templates) -> None:
    for side, secret in (
        ("source", "ledger/source-database-??????"),
        ("target", "data-prod:ExportsOutputRefReplication"),
    ):
        said = {s["Sid"]: s for s in statements(built, f"role-replication-{side}")}
        assert secret in text(said["ReadSecret"]["Resource"])
        assert set(said) - {"ReadSecret"} <= {"Decrypt"}


def test_tables_can_be_recovered_and_are_encrypted(built: Templates) -> None:
    tables = {t["TableName"]: t for t in built.properties("AWS::DynamoDB::Table")}
    assert set(tables) == {"table-journal-prod", "table-tracking-prod"}
    for table in tables.values():
        assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert table["SSESpecification"]["SSEType"] == "KMS"


@pytest.mark.parametrize("index", INDEXES, ids=lambda index: index.name)
def test_an_index_answers_its_question(built: Templates, index: object) -> None:
    tables = {t["TableName"]: t for t in built.properties("AWS::DynamoDB::Table")}
    made = {i["IndexName"]: i["KeySchema"] for i in tables["table-tracking-prod"]["GlobalSecondaryIndexes"]}
    keys = [part["AttributeName"] for part in made[index.name]]  # type: ignore[attr-defined]
    assert keys == [index.partition, index.sort]  # type: ignore[attr-defined]


def test_the_journal_is_passed_on_to_a_bus_with_an_archive(built: Templates) -> None:
    pipe = built.one("AWS::Pipes::Pipe")
    assert "StreamArn" in text(pipe["Source"])
    assert "Bus" in text(pipe["Target"])
    assert pipe["SourceParameters"]["DynamoDBStreamParameters"]["DeadLetterConfig"]["Arn"]
    assert built.one("AWS::Events::Archive")["RetentionDays"] == 365


def test_topics_are_encrypted_and_take_nothing_without_tls(built: Templates) -> None:
    topics = {t["TopicName"]: t for t in built.properties("AWS::SNS::Topic")}
    assert {"topic-phase-prod", "topic-error-prod", "topic-completion-prod"} <= set(topics)
    assert all(topic["KmsMasterKeyId"] for topic in topics.values())
    refused = [p for p in built.properties("AWS::SNS::TopicPolicy") if "aws:SecureTransport" in text(p)]
    assert len(refused) == len(topics)


def test_subscribers_get_what_the_file_says(built: Templates) -> None:
    mails = [s for s in built.properties("AWS::SNS::Subscription") if s["Protocol"] == "email"]
    assert [mail["Endpoint"] for mail in mails] == ["ledger-team@corp.example"] * 2
    assert "TopicError" in text(mails)
    assert "TopicCompletion" in text(mails)
    assert "TopicPhase" not in text(mails)


def test_the_load_balancer_speaks_tls_only_and_is_internal(built: Templates) -> None:
    assert built.one("AWS::ElasticLoadBalancingV2::LoadBalancer")["Scheme"] == "internal"
    listener = built.one("AWS::ElasticLoadBalancingV2::Listener")
    assert (listener["Protocol"], listener["Port"]) == ("HTTPS", 443)
    assert "TLS13" in listener["SslPolicy"]
    ports = {g["Port"]: g["HealthCheckPath"] for g in built.properties("AWS::ElasticLoadBalancingV2::TargetGroup")}
    assert ports == {8080: "/health", 8081: "/health"}
