"""A13: files on AWS, and the tasks that bring them there and back."""

from pathlib import Path

from crossfade.infra.demands import notes
from crossfade.infra.synthesis import synthesise
from tests.infra.granted import statements
from tests.infra.templates import Templates, least, reference, survivors, text

SHARE = {"name": "archive", "path": "/srv/archive", "size": "1TB", "target": "efs", "exclude": ["/tmp", "*.bak"]}


def test_each_share_can_be_brought_there_and_back(built: Templates) -> None:
    tasks = {t["Name"]: t for t in built.properties("AWS::DataSync::Task")}
    forward, back = tasks["task-files-statements-forward-prod"], tasks["task-files-statements-back-prod"]
    assert forward["SourceLocationArn"] == back["DestinationLocationArn"]
    assert forward["DestinationLocationArn"] == back["SourceLocationArn"]


def test_tasks_copy_what_changed_and_compare_it_and_never_start_by_themselves(built: Templates) -> None:
    for task in built.properties("AWS::DataSync::Task"):
        assert task["Options"]["TransferMode"] == "CHANGED"
        assert task["Options"]["VerifyMode"] == "ONLY_FILES_TRANSFERRED"
        assert "Schedule" not in task
        assert task["CloudWatchLogGroupArn"]


def test_files_are_read_from_the_share_by_the_files_agent(built: Templates) -> None:
    location = built.one("AWS::DataSync::LocationNFS")
    assert (location["ServerHostname"], location["Subdirectory"]) == ("files.corp.example", "/srv/ledger/statements")
    assert location["OnPremConfig"]["AgentArns"] == [reference().files.agent]


def test_buckets_are_private_encrypted_and_take_nothing_without_tls(built: Templates) -> None:
    buckets = built.properties("AWS::S3::Bucket")
    assert len(buckets) >= 3
    for bucket in buckets:
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        assert bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    policies = [text(policy) for policy in built.properties("AWS::S3::BucketPolicy")]
    assert len(policies) == len(buckets)
    assert all("aws:SecureTransport" in policy for policy in policies)


def test_datasync_writes_into_the_shares_bucket_only(built: Templates) -> None:
    said = {s["Sid"]: text(s["Resource"]) for s in statements(built, "role-files-statements")}
    assert "BucketStatements" in said["ReadAndWrite"]
    assert "BucketStatements" in said["List"]
    assert set(said) == {"List", "ReadAndWrite", "UseKey"}


def test_a_file_system_is_encrypted_and_goes_with_its_stack(tmp_path: Path) -> None:
    file = least(files__shares=[SHARE], files__server="nfs.corp", files__agent=reference().files.agent)
    synthesise(file, tmp_path / "cdk.out", review=True)
    made = Templates(tmp_path / "cdk.out")
    assert made.one("AWS::EFS::FileSystem")["Encrypted"] is True
    assert "BackupPolicy" not in made.one("AWS::EFS::FileSystem")  # backups would outlive the stack
    assert made.one("AWS::DataSync::LocationEFS")["InTransitEncryption"] == "TLS1_2"
    assert {t["Excludes"][0]["Value"] for t in made.properties("AWS::DataSync::Task")} == {"/tmp|*.bak"}
    assert survivors(made) == []


def test_it_is_said_when_there_is_no_agent_to_copy_with() -> None:
    assert [n for n in notes(least(files__shares=[SHARE])) if n.startswith("files.")] != []
    assert not any(note.startswith("files.") for note in notes(reference()))
