"""A10 and A12: the checks really check, and people on call see what they need."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from crossfade.infra.validation import SUMMARY, disk_script, http_script, server_document, service_script
from crossfade.model.file.checks import Checks, HttpCheck, ServiceCheck
from tests.infra.templates import Templates, least, reference, text

QUICK = Checks(attempts=2, retry_after=timedelta(milliseconds=10))


def ran(script: str) -> tuple[int, str]:
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=180)
    return done.returncode, done.stdout


class Answers(BaseHTTPRequestHandler):
    statuses: tuple[int, ...] = (200,)
    asked = 0

    def do_GET(self) -> None:
        cls = type(self)
        self.send_response(cls.statuses[min(cls.asked, len(cls.statuses) - 1)])
        cls.asked += 1
        self.end_headers()
        self.wfile.write(b"ledger's state: all is well")

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(*statuses: int) -> Iterator[int]:
    handler = type("These", (Answers,), {"statuses": statuses, "asked": 0})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_health_passes_when_status_and_text_are_as_expected() -> None:
    check = HttpCheck(name="health", contains="ledger's state: all is well")
    with answering(200) as port:
        code, said = ran(http_script(check, port, QUICK))
    assert (code, "answered 200" in said) == (0, True)


@pytest.mark.parametrize(
    ("check", "statuses"),
    [(HttpCheck(name="health"), (503,)), (HttpCheck(name="health", contains="all is lost"), (200,))],
)
def test_health_fails_when_the_answer_is_another(check: HttpCheck, statuses: tuple[int, ...]) -> None:
    with answering(*statuses) as port:
        code, said = ran(http_script(check, port, QUICK))
    assert code == 1
    assert "expected 200" in said


def test_health_is_asked_again_when_the_first_answer_is_bad() -> None:
    with answering(503, 200) as port:
        assert ran(http_script(HttpCheck(name="health"), port, QUICK))[0] == 0


def test_health_fails_when_nobody_answers() -> None:
    with answering(200) as port:
        pass
    assert ran(http_script(HttpCheck(name="health"), port, QUICK))[0] == 1


def test_a_value_of_the_file_is_never_run_by_the_shell() -> None:
    hostile = HttpCheck(name="health", path="/$(touch${IFS}gone)';touch${IFS}gone", contains="'; echo stolen; '")
    with answering(200) as port:
        code, said = ran(http_script(hostile, port, QUICK))
    assert code == 1
    assert "\nstolen" not in said


def test_a_port_is_tried_when_a_service_has_one() -> None:
    with answering(200) as port:
        assert ran(service_script(ServiceCheck(name="web", port=port)))[0] == 0
    assert ran(service_script(ServiceCheck(name="web", port=port)))[0] == 1


def test_a_disk_is_measured() -> None:
    assert ran(disk_script(1))[0] == 0
    assert ran(disk_script(2**62))[0] == 1


def test_a_unit_that_does_not_run_fails() -> None:
    assert ran(service_script(ServiceCheck(name="gone", unit="there-is-no-such.service")))[0] == 1


def test_a_database_that_cannot_be_asked_has_not_passed() -> None:
    steps: Any = server_document(reference(), database_host="db", secret="secret-validation-prod")["mainSteps"]
    (script,) = ["\n".join(s["inputs"]["runCommand"]) for s in steps if s["name"].startswith("database_")]
    code, said = ran(f"PATH=/nowhere\n{script}")
    assert (code, "not installed" in said) == (1, True)


def test_every_script_is_sound_for_the_shell() -> None:
    steps: Any = server_document(reference(), database_host="db", secret="s")["mainSteps"]
    names = [step["name"] for step in steps]
    assert len(set(names)) == len(names)
    for step in steps:
        script = "\n".join(step["inputs"]["runCommand"])
        done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_each_tier_is_asked_at_its_own_port() -> None:
    said = text(server_document(reference(), database_host="db", secret="s"))
    assert "127.0.0.1:8080/health" in said
    assert "127.0.0.1:8081/health" in said
    lonely = text(server_document(least(checks__minimum_free_disk="1GB"), database_host="db", secret="s"))
    assert '"disk"' in lonely


def summary(*states: str) -> dict[str, int]:
    scope: dict[str, Any] = {}
    exec(compile(SUMMARY, "summary", "exec"), scope)
    client = boto3.client("ssm", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    listed = [{"CommandId": "c" * 36, "InstanceId": f"i-{n:017}", "Status": s} for n, s in enumerate(states)]
    with Stubber(client) as stubber, pytest.MonkeyPatch.context() as patch:
        stubber.add_response("list_command_invocations", {"CommandInvocations": listed}, {"CommandId": "c" * 36})
        patch.setattr(boto3, "client", lambda _name: client)
        told: dict[str, int] = scope["summarise"]({"command": "c" * 36}, None)
    return told


def test_one_answer_is_gathered_for_all_servers() -> None:
    assert summary("Success", "Success") == {"servers": 2, "passed": 2}


@pytest.mark.parametrize("states", [(), ("Success", "Failed"), ("TimedOut",)])
def test_the_automation_fails_unless_all_have_passed(states: tuple[str, ...]) -> None:
    with pytest.raises(RuntimeError):
        summary(*states)


def test_the_documents_are_deployed_and_go_to_servers_of_this_migration_alone(built: Templates) -> None:
    kinds = {d["Name"]: d["DocumentType"] for d in built.properties("AWS::SSM::Document")}
    assert kinds == {"document-validate-server-prod": "Command", "document-validate-servers-prod": "Automation"}
    sending = [
        s
        for _, policy in built.every("AWS::IAM::ManagedPolicy")
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
        if s["Sid"] == "ToServersOfTheMigration"
    ]
    assert [s["Condition"] for s in sending] == [{"StringEquals": {"ssm:resourceTag/migration": "ledger"}}]
    associations = {a["Name"]: a for a in built.properties("AWS::SSM::Association")}
    assert set(associations) == {"AWS-UpdateSSMAgent", "AWS-ConfigureAWSPackage", "AmazonCloudWatch-ManageAgent"}
    for association in associations.values():
        assert association["Targets"] == [{"Key": "tag:migration", "Values": ["ledger"]}]


def test_the_dashboard_shows_what_a_person_on_call_needs(built: Templates) -> None:
    board = built.one("AWS::CloudWatch::Dashboard")
    parts = board["DashboardBody"]["Fn::Join"][1]
    body = json.loads("".join(part if isinstance(part, str) else "reference" for part in parts))
    titles = " ".join(str(widget["properties"].get("title")) for widget in body["widgets"])
    for shown in ("Alarms", "Phase", "Users on AWS", "Verdict", "Share wanted", "legacy beside modern", "lag", "Link"):
        assert shown in titles
    assert "Servers by status" in titles
    assert all(widget["x"] + widget["width"] <= 24 for widget in body["widgets"])
