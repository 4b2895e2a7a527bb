"""Envoy between users and servers: how it is started, and when it is ready."""

import json
import socket
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from crossfade.rehearsal import parts
from crossfade.rehearsal.processes import Launch
from crossfade.rehearsal.router_configuration import RouterLayout, bootstrap
from crossfade.traffic import runtime

__all__ = ["RouterLayout", "is_ready", "launch", "prepare"]

_TIMEOUT_S = 1.0


def prepare(layout: RouterLayout) -> Path:
    """Write the bootstrap, and shares of 0 % if there are none yet (a router that is started anew keeps its own)."""
    layout.folder.mkdir(parents=True, exist_ok=True)
    runtime.prepare(layout.runtime_folder)
    place = layout.folder / "bootstrap.json"
    place.write_text(json.dumps(bootstrap(layout), indent=1), encoding="utf-8")
    return place


def launch(layout: RouterLayout, log: Path) -> Launch:
    """How to start the router, its files written. SIGTERM ends it. Raises `PartMissing`."""
    options = ["--disable-hot-restart", "--concurrency", str(layout.concurrency), "--log-level", "warn"]
    return Launch(argv=[str(parts.envoy()), "-c", str(prepare(layout).resolve()), *options], log=log)


def is_ready(layout: RouterLayout) -> bool:
    """Users are answered: the router takes connections, has checked every server once, and some answered.

    Not all must: a router that is started anew may find a server dead, or the legacy ones retired.
    """
    try:
        live, _ = _ask(layout, "/ready")
        _, members = _ask(layout, "/stats?filter=membership_healthy$")
        socket.create_connection(("127.0.0.1", layout.listen_port), timeout=_TIMEOUT_S).close()
    except (OSError, HTTPException):
        return False
    return live and any(int(line.rpartition(": ")[2]) > 0 for line in _of_users(members))


def _of_users(members: str) -> list[str]:
    """Nobody checks the mirror's servers, so those count as healthy from the start."""
    return [line for line in members.splitlines() if f".{runtime.MIRROR}." not in line]


def _ask(layout: RouterLayout, path: str) -> tuple[bool, str]:
    connection = HTTPConnection("127.0.0.1", layout.admin_port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status == HTTPStatus.OK, answer.read().decode()
    finally:
        connection.close()
