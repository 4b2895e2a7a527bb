"""Envoy between users and servers: how it is started, and when it is ready."""

import json
import socket
from collections import Counter
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import quote

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
    """Users are answered: the router takes connections and has seen every legacy server answer its health check."""
    try:
        members = _members(layout)
        socket.create_connection(("127.0.0.1", layout.listen_port), timeout=_TIMEOUT_S).close()
    except (OSError, HTTPException, ValueError):
        return False
    return 0 < members["total"] == members["healthy"]


def _members(layout: RouterLayout) -> Counter[str]:
    """How many legacy servers there are, and how many of them answer."""
    prefix = f"cluster.{runtime.LEGACY}.membership_"
    connection = HTTPConnection("127.0.0.1", layout.admin_port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", f"/stats?filter={quote('^' + prefix)}")
        lines = connection.getresponse().read().decode().splitlines()
    finally:
        connection.close()
    return Counter(
        {name.removeprefix(prefix): int(value) for name, _, value in (line.partition(": ") for line in lines)}
    )
