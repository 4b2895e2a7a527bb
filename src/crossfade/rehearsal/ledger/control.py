"""The launcher's control port: what is said over it, and a client that says it."""

import http.client
import json
from enum import StrEnum
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from crossfade.model.errors import CrossfadeError

_STOP_SECONDS = 20.0
_LOOK_AGAIN_SECONDS = 0.02

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
Kind = Literal["production", "test"]
T = TypeVar("T")


class InstanceState(StrEnum):
    """`RESTARTING`: it crashed and will be started again, after a pause that grows."""

    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPING = "stopping"


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StartOrder(_Message):
    """Run what lies in `directory` on `port`; the port in its settings.json does not count."""

    name: Name
    kind: Kind
    directory: Path
    port: Annotated[int, Field(ge=1, le=65535)]


class Instance(StartOrder):
    """An instance that was started and not stopped. `crashes` counts unwanted ends since the start."""

    state: InstanceState
    pid: int | None
    crashes: int
    preloaded: bool


class Faults(_Message):
    """What all instances of the site show, in percent: of the service time, of answers, of answers, of transfers, of
    shadow calls.
    """

    latency_percent: Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)] = 0.0
    error_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    wrong_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    declined_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0
    hang_percent: Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)] = 0.0


_INSTANCE = TypeAdapter(Instance)
_INSTANCES = TypeAdapter(tuple[Instance, ...])
_FAULTS = TypeAdapter(Faults)


class LauncherSilent(CrossfadeError):
    """The launcher does not answer on its control port, or not as a launcher does."""

    retryable = True
    remedy = "See whether the launcher runs (its log lies in the run's folder); `crossfade resume` starts it again."

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(f"the launcher at {url} does not answer: {reason}")


class InstanceRefused(CrossfadeError):
    """The launcher does not do what was asked for this instance."""

    remedy = "Correct what the message names, then ask again."

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"instance {name}: {reason}")


class LauncherClient:
    """Talks to one launcher; holds no connection, so it may be used from anywhere.

    Every method may raise LauncherSilent. Asking again for what is so already changes nothing.
    """

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        self._url, self._timeout = url.rstrip("/"), timeout
        self._address = urlsplit(url).netloc

    def start(self, name: str, *, kind: Kind, directory: Path, port: int) -> Instance:
        """Returns when the process was started; it answers on its port some 0.1 s later. Raises InstanceRefused."""
        order = StartOrder(name=name, kind=kind, directory=directory, port=port)
        return _parse(_INSTANCE, self._ask("POST", "/instances", name, order))

    def stop(self, name: str) -> None:
        """The instance has answered what it was asked and is gone. No matter if it did not run.

        Raises InstanceRefused when it is still there after 20 seconds.
        """
        self._ask("DELETE", f"/instances/{quote(name)}", name)
        deadline = monotonic() + _STOP_SECONDS
        while any(instance.name == name for instance in self.instances()):
            if monotonic() > deadline:
                raise InstanceRefused(name, f"it has not ended within {_STOP_SECONDS:.0f} s")
            sleep(_LOOK_AGAIN_SECONDS)

    def kill(self, name: str) -> None:
        """The process is killed as by a power cut; the launcher will start it again. Raises InstanceRefused."""
        self._ask("POST", f"/instances/{quote(name)}/kill", name)

    def instances(self) -> tuple[Instance, ...]:
        """All that were started and not stopped, in the order of their names."""
        return _parse(_INSTANCES, self._ask("GET", "/instances", "all"))

    def faults(self) -> Faults:
        return _parse(_FAULTS, self._ask("GET", "/faults", "all"))

    def set_faults(
        self,
        *,
        latency_percent: float = 0.0,
        error_percent: float = 0.0,
        wrong_percent: float = 0.0,
        declined_percent: float = 0.0,
        hang_percent: float = 0.0,
    ) -> None:
        """These and no others, for all instances of the site, from their next request on."""
        wanted = Faults(
            latency_percent=latency_percent,
            error_percent=error_percent,
            wrong_percent=wrong_percent,
            declined_percent=declined_percent,
            hang_percent=hang_percent,
        )
        self._ask("PUT", "/faults", "all", wanted)

    def _ask(self, method: str, path: str, name: str, body: BaseModel | None = None) -> bytes:
        connection = http.client.HTTPConnection(self._address, timeout=self._timeout)
        try:
            connection.request(method, path, None if body is None else body.model_dump_json())
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as exc:
            raise LauncherSilent(self._url, str(exc) or type(exc).__name__) from exc
        finally:
            connection.close()
        if answer.status >= 400:
            raise InstanceRefused(name, _problem(content))
        return content


def _problem(content: bytes) -> str:
    try:
        told: Any = json.loads(content)
        return str(told["problem"])
    except (ValueError, KeyError, TypeError):
        return "refused without a reason"


def _parse(form: TypeAdapter[T], content: bytes) -> T:
    try:
        return form.validate_json(content)
    except ValidationError as exc:
        raise LauncherSilent("the control port", "something else listens there") from exc
