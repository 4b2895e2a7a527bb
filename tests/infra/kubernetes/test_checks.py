import http.server
import os
import shutil
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from crossfade.infra.kubernetes.checks import ASKING, variables
from crossfade.model.file.checks import HttpCheck
from tests.infra.kubernetes.files import file, of_kind

# the checks are scripts for the job's image; they are run where their one program is
pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the job's image has curl; this computer has not")


class Answering(http.server.BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        status = {"/health": 200, "/late": 200 if type(self).asked > 1 else 503}.get(self.path, 404)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b"all is well: $HOME")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    Answering.asked = 0
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def asked(tmp_path: Path, check: HttpCheck, address: str) -> subprocess.CompletedProcess[str]:
    """The job's script, with the variables that the job gives it, but for where the service is."""
    told = variables(file(checks__attempts=2), check) | {"URL": address + check.path, "RETRY_AFTER": "0"}
    environment = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), **told}
    return subprocess.run(
        ["sh", "-c", ASKING], env=environment, capture_output=True, text=True, timeout=180, check=False
    )


@pytest.mark.parts
@pytest.mark.parametrize(
    ("check", "passes"),
    [
        (HttpCheck(name="health"), True),
        (HttpCheck(name="health", contains="$HOME"), True),
        (HttpCheck(name="health", contains="all is lost"), False),
        (HttpCheck(name="health", contains="-v"), False),
        (HttpCheck(name="gone", path="/gone"), False),
        (HttpCheck(name="gone", path="/gone", status=404), True),
        (HttpCheck(name="late", path="/late"), True),
    ],
    ids=str,
)
def test_the_job_ends_as_the_check_is_answered(tmp_path: Path, address: str, check: HttpCheck, passes: bool) -> None:
    ended = asked(tmp_path, check, address)
    assert (ended.returncode == 0) is passes, ended.stdout + ended.stderr
    assert address in ended.stdout


@pytest.mark.parts
def test_the_job_fails_when_nobody_answers(tmp_path: Path) -> None:
    assert asked(tmp_path, HttpCheck(name="health"), "http://127.0.0.1:9").returncode == 1


def test_the_preview_is_asked_before_a_promotion() -> None:
    checks = [{"name": "health", "path": "/health"}, {"name": "ready", "path": "/ready", "status": 204}]
    wanted = file(traffic__strategy="blue-green", checks__http=checks)
    (template,) = [one for one in of_kind(wanted, "AnalysisTemplate") if one["metadata"]["name"] == "ledger-checks"]
    told = []
    for metric in template["spec"]["metrics"]:
        (container,) = metric["provider"]["job"]["spec"]["template"]["spec"]["containers"]
        told.append({one["name"]: one["value"] for one in container["env"]})
    assert [one["URL"] for one in told] == [
        "http://ledger-preview.default.svc:80/health",
        "http://ledger-preview.default.svc:80/ready",
    ]
    assert [one["STATUS"] for one in told] == ["200", "204"]
