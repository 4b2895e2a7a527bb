"""A double of the Kubernetes API with a small controller of Argo Rollouts behind it, on this computer.

It holds what it is given against the schemas strictly, knows versions, generations and the status as a resource of its
own, and reconciles once for each request, so that nothing depends on time. What the controller does follows
rollout/canary.go and rollout/trafficrouting.go of argoproj/argo-rollouts.
"""

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.kubernetes.controller import Controller
from tests.kubernetes.schemas import faults, known

Thing = dict[str, Any]


@dataclass
class Cluster:
    """`objects` by path. `refuse` may answer in the place of the API; `before` and `after` are told of each change."""

    objects: dict[str, Thing] = field(default_factory=dict)
    controller: Controller = field(default_factory=Controller)
    token: str = "a-token"
    refuse: Callable[[str, str], tuple[int, dict[str, str]] | None] = lambda _method, _path: None
    before: Callable[[str], None] = lambda _path: None
    after: Callable[[str], None] = lambda _path: None
    requests: list[tuple[str, str]] = field(default_factory=list)
    _version: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def put(self, path: str, thing: Thing) -> None:
        """As `kubectl apply` does with a whole object; its status stays."""
        with self._lock:
            before = self.objects.get(path)
            fresh = json.loads(json.dumps(thing))
            if before is not None:
                fresh["status"] = before.get("status", {})
                fresh["metadata"]["annotations"] = before["metadata"].get("annotations", {}) | fresh["metadata"].get(
                    "annotations", {}
                )
            self._store(path, fresh, before)

    def answered(self, method: str, path: str, query: dict[str, list[str]], patch: Any, token: str) -> tuple[int, Any]:
        """The hooks stand outside of the lock: what they do may ask the API as well."""
        if method == "PATCH":
            self.before(path)
        answer = self.answer(method, path, query, patch, token)
        if method == "PATCH":
            self.after(path)
        return answer

    def answer(self, method: str, path: str, query: dict[str, list[str]], patch: Any, token: str) -> tuple[int, Any]:
        with self._lock:
            self.requests.append((method, path))
            if token != (f"Bearer {self.token}" if self.token else ""):
                return 401, _status("Unauthorized")
            for thing_path, thing in self.objects.items():
                if thing["kind"] == "Rollout" and self.controller.reconcile(thing):
                    self._bump(thing_path)
            if path.endswith("/pods"):
                (selector,) = query["labelSelector"]
                return 200, {"items": [{}] * self.controller.pods.get(selector.partition("=")[2], 0)}
            resource, _, sub = path.partition("/status")
            if resource not in self.objects or (sub and not path.endswith("/status")):
                return 404, _status("not found")
            if method == "GET":
                return 200, self.objects[resource]
            return self._patched(resource, patch, of_status=path.endswith("/status"))

    def _patched(self, path: str, patch: Any, *, of_status: bool) -> tuple[int, Any]:
        before = self.objects[path]
        wanted = patch.get("metadata", {}).get("resourceVersion")
        if wanted is not None and wanted != before["metadata"]["resourceVersion"]:
            return 409, _status("the object has been modified; please apply your changes to the latest version")
        after = merged(before, {"status": patch.get("status", {})} if of_status else patch)
        if not of_status:
            after["status"] = before.get("status", {})
        if found := faults(after) if known(after) else []:
            return 422, _status("; ".join(found))
        if after != before:
            self._store(path, after, before)
        return 200, self.objects[path]

    def _store(self, path: str, thing: Thing, before: Thing | None) -> None:
        generation = before["metadata"]["generation"] if before else 0
        changed = before is None or before["spec"] != thing["spec"]
        thing["metadata"]["generation"] = generation + changed
        if known(thing):
            assert faults(thing) == []
        self.objects[path] = thing
        self._bump(path)

    def _bump(self, path: str) -> None:
        self._version += 1
        self.objects[path]["metadata"]["resourceVersion"] = str(self._version)


def merged(thing: Any, patch: Any) -> Any:
    """Source: RFC 7396."""
    if not isinstance(patch, dict):
        return patch
    found = dict(thing) if isinstance(thing, dict) else {}
    for key, value in patch.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found


def _status(message: str) -> Thing:
    return {"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": message}


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    cluster: Cluster


class _Handler(BaseHTTPRequestHandler):
    """One request a connection: when the API is stopped, nobody is left who would still be answered."""

    server: _Server

    def do_GET(self) -> None:
        self._answer(None)

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.headers["Content-Type"] == "application/merge-patch+json"
        self._answer(json.loads(body))

    def _answer(self, patch: Any) -> None:
        cluster, address = self.server.cluster, urlsplit(self.path)
        refused = cluster.refuse(self.command, address.path)
        if refused is None:
            token = self.headers.get("Authorization", "")
            status, body = cluster.answered(self.command, address.path, parse_qs(address.query), patch, token)
            self._send(status, body, {})
        else:
            self._send(refused[0], _status("as asked for by the test"), refused[1])

    def _send(self, status: int, body: Any, headers: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served(cluster: Cluster, *, port: int = 0, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of the API while it runs."""
    with _Server(("127.0.0.1", port), _Handler) as server:
        server.cluster = cluster
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
        thread.start()
        try:
            scheme = "http" if tls is None else "https"
            yield f"{scheme}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
