"""How the Kubernetes API is reached: from within a cluster, or by a kubeconfig as `kubectl` reads it.

A token is asked for anew with each request: those of a service account change under way, and those of a credential
plugin end. No token is kept in an error, a log or a representation.
"""

import base64
import binascii
import json
import os
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from crossfade.traffic.errors import ConnectionNotKnown

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_PLUGIN_TIMEOUT_S = 30
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

Token = Callable[[], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where the API is, whom to trust for it, and by what one is known there."""

    server: str
    """Such as `https://10.0.0.1:443`, without a slash at its end."""
    trust: ssl.SSLContext | None = field(repr=False)
    """None: the connection stays on this computer and is not encrypted."""
    token: Token = field(repr=False)


def find_connection(context: str | None = None) -> Connection:
    """By KUBECONFIG or ~/.kube/config; within a cluster, where neither is there, by the service account.

    Raises `ConnectionNotKnown`.
    """
    named = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0]
    path = Path(named) if named else Path.home() / ".kube" / "config"
    if not named and not path.exists() and "KUBERNETES_SERVICE_HOST" in os.environ:
        return _in_cluster()
    return read_kubeconfig(path, context)


def read_kubeconfig(path: Path, context: str | None = None) -> Connection:
    """The cluster and the user of `context`, or of the current one. Raises `ConnectionNotKnown`."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        wanted = context or content["current-context"]
        chosen = _named(content, "contexts", wanted)["context"]
        cluster = _named(content, "clusters", chosen["cluster"])["cluster"]
        user = _named(content, "users", chosen["user"]).get("user") or {}
        return Connection(
            server=_address(path, cluster), trust=_trust(path, cluster, user), token=_token_of(path, user)
        )
    except OSError as refusal:
        raise ConnectionNotKnown(str(path), refusal.strerror or type(refusal).__name__) from refusal
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError, LookupError) as wrong:
        # the message of a parser can quote the line that it stumbled over, which may be a token
        raise ConnectionNotKnown(str(path), f"is no kubeconfig that can be used ({type(wrong).__name__})") from None


def _in_cluster() -> Connection:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    try:
        trust = ssl.create_default_context(cafile=str(_ACCOUNT / "ca.crt"))
    except OSError as refusal:
        raise ConnectionNotKnown(str(_ACCOUNT), refusal.strerror or type(refusal).__name__) from refusal
    address = f"[{host}]" if ":" in host else host
    return Connection(server=f"https://{address}:{port}", trust=trust, token=_from_file(_ACCOUNT / "token"))


def _named(content: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    for one in content[kind]:
        if one["name"] == name:
            found: Mapping[str, Any] = one
            return found
    raise KeyError(name)


def _address(path: Path, cluster: Mapping[str, Any]) -> str:
    server = str(cluster["server"]).rstrip("/")
    if cluster.get("insecure-skip-tls-verify"):
        raise ConnectionNotKnown(str(path), "insecure-skip-tls-verify would show the token to anybody")
    if not server.startswith("https://") and urlsplit(server).hostname not in _LOOPBACK:
        raise ConnectionNotKnown(str(path), f"{server} is not encrypted, and would show the token to anybody")
    return server


def _trust(path: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext | None:
    if not str(cluster["server"]).startswith("https://"):
        return None
    authority = _material(path, cluster, "certificate-authority")
    trust = ssl.create_default_context(cadata=authority.decode() if authority is not None else None)
    certificate, key = (_material(path, user, name) for name in ("client-certificate", "client-key"))
    if certificate is not None and key is not None:
        _present(trust, certificate, key)
    return trust


def _present(trust: ssl.SSLContext, certificate: bytes, key: bytes) -> None:
    """The library reads certificates from files only; these are this user's alone, and gone again at once."""
    with tempfile.TemporaryDirectory(prefix="crossfade-") as folder:
        files = [Path(folder) / name for name in ("certificate.pem", "key.pem")]
        for file, content in zip(files, (certificate, key), strict=True):
            file.touch(mode=0o600)
            file.write_bytes(content)
        trust.load_cert_chain(*map(str, files))


def _material(path: Path, section: Mapping[str, Any], name: str) -> bytes | None:
    """What stands in the kubeconfig, or in a file that it names relative to itself."""
    if (data := section.get(f"{name}-data")) is not None:
        try:
            return base64.b64decode(data, validate=True)
        except binascii.Error as wrong:
            raise ValueError(name) from wrong
    return (path.parent / section[name]).read_bytes() if name in section else None


def _token_of(path: Path, user: Mapping[str, Any]) -> Token:
    if "exec" in user:
        return _Plugin(path, user["exec"])
    if "tokenFile" in user:
        return _from_file(path.parent / user["tokenFile"])
    token = str(user["token"]) if "token" in user else None
    return lambda: token


def _from_file(path: Path) -> Token:
    def read() -> str:
        try:
            return path.read_text(encoding="utf-8").strip()
        except OSError as refusal:
            raise ConnectionNotKnown(str(path), refusal.strerror or type(refusal).__name__) from refusal

    return read


class _Plugin:
    """A program that says tokens, such as `aws eks get-token`; asked again when one has ended.

    Source: Kubernetes documentation, 'client-go credential plugins'.
    """

    def __init__(self, path: Path, wanted: Mapping[str, Any]) -> None:
        self._place = str(path)
        self._command = [str(wanted["command"]), *map(str, wanted.get("args") or ())]
        self._environment = {str(one["name"]): str(one["value"]) for one in wanted.get("env") or ()}
        self._version = str(wanted.get("apiVersion", "client.authentication.k8s.io/v1"))
        self._kept: tuple[str, datetime | None] | None = None

    def __call__(self) -> str:
        if self._kept is None or (self._kept[1] is not None and datetime.now(UTC) >= self._kept[1]):
            self._kept = self._ask()
        return self._kept[0]

    def _ask(self) -> tuple[str, datetime | None]:
        """What the program prints is never repeated: it may hold a token."""
        asked = {"apiVersion": self._version, "kind": "ExecCredential", "spec": {"interactive": False}}
        environment = os.environ | self._environment | {"KUBERNETES_EXEC_INFO": json.dumps(asked)}
        program = self._command[0]
        try:
            ended = subprocess.run(
                self._command,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PLUGIN_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as failure:
            raise ConnectionNotKnown(self._place, f"{program} does not answer ({type(failure).__name__})") from None
        if ended.returncode != 0:
            raise ConnectionNotKnown(self._place, f"{program} ends with {ended.returncode} instead of a token")
        try:
            status = json.loads(ended.stdout)["status"]
            until = status.get("expirationTimestamp")
            return str(status["token"]), None if until is None else datetime.fromisoformat(until).astimezone(UTC)
        except (ValueError, LookupError, TypeError, AttributeError) as wrong:
            raise ConnectionNotKnown(self._place, f"{program} says no token ({type(wrong).__name__})") from None
