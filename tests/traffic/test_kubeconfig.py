import base64
import os
import ssl
import stat
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossfade.model.seen import Shares
from crossfade.model.terms import NoData
from crossfade.traffic import kubeconfig
from crossfade.traffic.argo import ArgoRouter
from crossfade.traffic.errors import ConnectionNotKnown
from crossfade.traffic.kubeconfig import find_connection, read_kubeconfig
from crossfade.traffic.kubernetes import KubernetesApi
from crossfade.traffic.port import RouterUnreachable
from tests.kubernetes.cluster import served
from tests.traffic.kubernetes import installed

TLS = Path(__file__).parents[1] / "notify" / "loopback.pem"
MARKED = "marked-token-4711"


@pytest.fixture
def address() -> Iterator[str]:
    """A cluster behind TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS)
    cluster = installed()
    cluster.token = MARKED
    with served(cluster, tls=context) as found:
        yield found


def written(folder: Path, cluster: dict[str, Any], user: dict[str, Any] | None = None, **more: Any) -> Path:
    path = folder / "config"
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user or {"token": MARKED}}],
        **more,
    }
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


def shares_by(path: Path) -> object:
    with KubernetesApi(read_kubeconfig(path), "default") as api:
        return ArgoRouter(api, "ledger").shares()


def program(folder: Path, body: str) -> dict[str, Any]:
    """A credential plugin."""
    path = folder / "plugin.py"
    path.write_text(f"#!{sys.executable}\n" + textwrap.dedent(body), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(path), "args": ["get-token"]}
    return {"exec": command | {"env": [{"name": "SAYS", "value": MARKED}], "interactiveMode": "Never"}}


SAYING = """
    import json, os, pathlib, sys
    asked = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
    assert sys.argv[1:] == ["get-token"]
    counted = pathlib.Path(__file__).with_name("asked")
    counted.write_text(counted.read_text() + "x" if counted.exists() else "x")
    status = {"token": os.environ["SAYS"], "expirationTimestamp": UNTIL}
    print(json.dumps({"apiVersion": asked["apiVersion"], "kind": "ExecCredential", "status": status}))
"""


def saying(until: datetime) -> str:
    return SAYING.replace("UNTIL", repr(until.isoformat().replace("+00:00", "Z")))


@pytest.mark.parametrize("kind", ["data", "file"])
def test_a_cluster_is_reached_by_its_authority_and_a_token(tmp_path: Path, address: str, kind: str) -> None:
    authority = {"certificate-authority-data": base64.b64encode(TLS.read_bytes()).decode()}
    user = {"token": MARKED}
    if kind == "file":
        (tmp_path / "ca.pem").write_bytes(TLS.read_bytes())
        (tmp_path / "token").write_text(f"{MARKED}\n", encoding="utf-8")
        authority, user = {"certificate-authority": "ca.pem"}, {"tokenFile": "token"}
    assert shares_by(written(tmp_path, {"server": address, **authority}, user)) == Shares(canary_percent=0)


def test_a_cluster_that_nobody_vouches_for_is_not_spoken_to(tmp_path: Path, address: str) -> None:
    connection = read_kubeconfig(written(tmp_path, {"server": address}))
    with KubernetesApi(connection, "default") as api, pytest.raises(RouterUnreachable, match="certificate"):
        ArgoRouter(api, "ledger").set_shares(0)


def test_a_certificate_is_shown_where_the_user_has_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # others make temporary folders, too
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS)
    context.load_verify_locations(TLS)
    context.verify_mode = ssl.CERT_REQUIRED
    data = base64.b64encode(TLS.read_bytes()).decode()
    cluster = installed()
    cluster.token = ""
    with served(cluster, tls=context) as address:
        known = written(
            tmp_path,
            {"server": address, "certificate-authority-data": data},
            {"client-certificate-data": data, "client-key-data": data, "token": ""},
        )
        assert shares_by(known) == Shares(canary_percent=0)
        unknown = written(tmp_path, {"server": address, "certificate-authority-data": data}, {"token": ""})
        assert isinstance(shares_by(unknown), NoData)
    assert not list(Path(tempfile.gettempdir()).glob("crossfade-*/key.pem"))


@pytest.mark.parts
def test_a_plugin_is_asked_for_a_token_and_again_when_it_has_ended(tmp_path: Path, address: str) -> None:
    cluster = {"server": address, "certificate-authority-data": base64.b64encode(TLS.read_bytes()).decode()}
    lasting = program(tmp_path, saying(datetime.now(UTC) + timedelta(hours=1)))
    with KubernetesApi(read_kubeconfig(written(tmp_path, cluster, lasting)), "default") as api:
        router = ArgoRouter(api, "ledger")
        assert router.shares() == router.shares() == Shares(canary_percent=0)
    assert (tmp_path / "asked").read_text() == "x"
    ended = program(tmp_path, saying(datetime.now(UTC) - timedelta(seconds=1)))
    assert shares_by(written(tmp_path, cluster, ended)) == Shares(canary_percent=0)
    assert shares_by(written(tmp_path, cluster, ended)) == Shares(canary_percent=0)
    assert (tmp_path / "asked").read_text() == "xxx"


@pytest.mark.parts
@pytest.mark.parametrize(
    "body",
    [
        "import os, sys; print(os.environ['SAYS']); print(os.environ['SAYS'], file=sys.stderr); sys.exit(3)",
        "import os; print(os.environ['SAYS'])",
        "import os; print('{\"status\": \"' + os.environ['SAYS'] + '\"}')",
    ],
)
def test_a_plugin_that_fails_is_told_without_what_it_said(tmp_path: Path, body: str) -> None:
    path = written(tmp_path, {"server": "http://127.0.0.1:9"}, program(tmp_path, body))
    with pytest.raises(ConnectionNotKnown) as caught:
        read_kubeconfig(path).token()
    assert MARKED not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("cluster", "reason"),
    [
        ({"server": "http://10.0.0.1:6443"}, "not encrypted"),
        ({"server": "https://10.0.0.1:6443", "insecure-skip-tls-verify": True}, "would show the token"),
        ({}, "no kubeconfig"),
        ({"server": "https://10.0.0.1", "certificate-authority-data": "%%%"}, "no kubeconfig"),
        ({"server": "https://10.0.0.1", "certificate-authority": "gone.pem"}, "No such file"),
    ],
)
def test_a_connection_that_is_not_safe_or_not_whole_is_refused(
    tmp_path: Path, cluster: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ConnectionNotKnown, match=reason) as caught:
        read_kubeconfig(written(tmp_path, cluster))
    assert MARKED not in str(caught.value)


@pytest.mark.parametrize("text", [f"token: '{MARKED}", f"[{MARKED}]", MARKED, "", "contexts: 5\ncurrent-context: x"])
def test_a_file_that_is_no_kubeconfig_is_told_without_its_text(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConnectionNotKnown) as caught:
        read_kubeconfig(path)
    assert MARKED not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"


def test_a_context_that_is_not_there_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, {"server": "https://10.0.0.1"})
    assert read_kubeconfig(path, "here").server == "https://10.0.0.1"
    with pytest.raises(ConnectionNotKnown):
        read_kubeconfig(path, "elsewhere")


def test_the_service_account_is_taken_within_a_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.crt").write_bytes(TLS.read_bytes())
    (tmp_path / "token").write_text("first\n", encoding="utf-8")
    monkeypatch.setattr(kubeconfig, "_ACCOUNT", tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "fd00::1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    connection = find_connection()
    assert connection.server == "https://[fd00::1]:6443"
    assert connection.token() == "first"
    (tmp_path / "token").write_text("second\n", encoding="utf-8")
    assert connection.token() == "second"
    assert "second" not in repr(connection)


def test_the_named_kubeconfig_is_taken_before_all_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, {"server": "https://10.0.0.1"})
    monkeypatch.setenv("KUBECONFIG", f"{path}{os.pathsep}/nowhere")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.9.9.9")
    assert find_connection().server == "https://10.0.0.1"
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "gone"))
    with pytest.raises(ConnectionNotKnown, match="No such file"):
        find_connection()
