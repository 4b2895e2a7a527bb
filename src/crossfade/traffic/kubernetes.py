"""The few requests to the Kubernetes API that leading a Rollout takes, and its refusals as errors with a remedy."""

import time
from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

import httpx

from crossfade.traffic.errors import AccessRefused, Conflict, ConnectionNotKnown, NotThere, ObjectRefused
from crossfade.traffic.kubeconfig import Connection
from crossfade.traffic.port import RouterUnreachable

_MERGE = "application/merge-patch+json"
_TRIES = 3
_LONGEST_WAIT_S = 5.0


class KubernetesApi:
    """One namespace of one cluster. Close it, or use it as a context.

    Every request has a deadline. A busy or failing server (429, 5xx) is asked again, after as long as it says and at
    most 5 s; what it has perhaps carried out already is only ever a state that is wanted, so again is harmless.
    Raises `RouterUnreachable`, `AccessRefused`, `NotThere`, `Conflict`, `ObjectRefused`, `ConnectionNotKnown`.
    """

    def __init__(self, connection: Connection, namespace: str, *, timeout: timedelta = timedelta(seconds=5)) -> None:
        self.server, self.namespace = connection.server, namespace
        self._token = connection.token
        # no proxies and no .netrc of the environment: they would see, or replace, the token
        self._client = httpx.Client(
            base_url=connection.server,
            verify=connection.trust if connection.trust is not None else True,
            timeout=timeout.total_seconds(),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, one: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def get(self, group: str, plural: str, name: str) -> Mapping[str, Any]:
        return self._ask("GET", self._path(group, plural, name))

    def pods(self, selector: str) -> int:
        """How many pods there are with these labels, those that are ending included."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        return len(self._ask("GET", path, params={"labelSelector": selector})["items"])

    def merge(self, group: str, plural: str, name: str, patch: Mapping[str, Any]) -> Mapping[str, Any]:
        """Replaces what the patch names. With `metadata.resourceVersion` in it, only if nobody came between."""
        return self._ask("PATCH", self._path(group, plural, name), patch=patch)

    def merge_status(self, group: str, plural: str, name: str, patch: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same for the status, which is a resource of its own: what else the patch names is not heeded there."""
        return self._ask("PATCH", f"{self._path(group, plural, name)}/status", patch=patch)

    def _path(self, group: str, plural: str, name: str) -> str:
        return f"/apis/{group}/namespaces/{self.namespace}/{plural}/{name}"

    def _ask(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, patch: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        for left in reversed(range(_TRIES)):
            answer = self._once(method, path, params, patch)
            if answer.status_code != 429 and answer.status_code < 500:
                return self._read(method, path, answer)
            if left:
                time.sleep(_wait(answer))  # as long as the answer asks for
        raise RouterUnreachable(self.server, f"status {answer.status_code} for {method} {path}, {_TRIES} times")

    def _once(
        self, method: str, path: str, params: Mapping[str, str] | None, patch: Mapping[str, Any] | None
    ) -> httpx.Response:
        headers = self._credentials()
        if patch is not None:
            headers["Content-Type"] = _MERGE
        try:
            return self._client.request(method, path, params=params, json=patch, headers=headers)
        except httpx.HTTPError as failure:
            raise RouterUnreachable(self.server, str(failure) or type(failure).__name__) from failure

    def _credentials(self) -> dict[str, str]:
        """None where a certificate says who one is. A token that is none is never repeated, as the client would."""
        token = self._token()
        if not token:
            return {}
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise ConnectionNotKnown(self.server, "the token for it holds what no token has")
        return {"Authorization": f"Bearer {token}"}

    def _read(self, method: str, path: str, answer: httpx.Response) -> Mapping[str, Any]:
        match answer.status_code:
            case 401 | 403:
                raise AccessRefused(method, path, answer.status_code)
            case 404:
                raise NotThere(path)
            case 409:
                raise Conflict(self.server, f"{path} has changed meanwhile")
        body = _json(answer)
        if not answer.is_success:
            raise ObjectRefused(path, answer.status_code, str(body.get("message", "no reason"))[:300])
        if not body:
            raise RouterUnreachable(self.server, f"what it answers to {method} {path} is no object")
        return body


def _json(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _wait(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said), _LONGEST_WAIT_S) if said.isdigit() else 0.2
