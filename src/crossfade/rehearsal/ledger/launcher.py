"""The launcher of one site: `python -m crossfade.rehearsal.ledger.launcher --site source --control PORT --log DIR`.

It loads the release once and forks a process for each instance: a dozen in a fraction of a second, sharing its memory.
"""

import argparse
import gc
import json
import signal
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer

from pydantic import BaseModel, TypeAdapter, ValidationError

from crossfade.rehearsal.ledger.control import Faults, Instance, InstanceRefused, LauncherClient, StartOrder
from crossfade.rehearsal.ledger.installation import own_checksum
from crossfade.rehearsal.ledger.instances import Instances
from crossfade.rehearsal.ledger.release.faults import FaultLevels, SharedFaults

__all__ = ["LauncherClient", "main"]

_TEND_SECONDS = 0.05
_LARGEST_BODY = 64 * 1024
_LIST = TypeAdapter(tuple[Instance, ...])


class _ControlServer(TCPServer):
    """Single-threaded on purpose: this process forks."""

    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, port: int, logs: Path) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.timeout = _TEND_SECONDS
        faults = logs / "faults.bin"
        self.faults = SharedFaults(faults)
        self.faults.write(FaultLevels())
        self.instances = Instances(
            logs=logs, faults=faults, release_checksum=own_checksum(), in_child=self.close_in_child
        )
        self.current: BaseHTTPRequestHandler | None = None
        self.ended = False

    def ask_to_end(self, _number: int, _frame: object) -> None:
        self.ended = True  # a flag, not an exception: it must not come between a fork and the note of its process

    def close_in_child(self) -> None:
        self.socket.close()
        if self.current is not None:
            self.current.connection.close()


class _Handler(BaseHTTPRequestHandler):
    server: _ControlServer
    timeout = 2.0  # a client that says nothing must not hold up the others

    def do_GET(self) -> None:
        if self.path == "/instances":
            self._answer(200, _LIST.dump_json(self.server.instances.list()))
        elif self.path == "/faults":
            levels = self.server.faults.read()
            self._tell(
                200,
                Faults(
                    latency_percent=levels.latency_percent,
                    error_percent=levels.error_percent,
                    wrong_percent=levels.wrong_percent,
                    declined_percent=levels.declined_percent,
                    hang_percent=levels.hang_percent,
                ),
            )
        else:
            self._refuse(404, "there is nothing here")

    def do_POST(self) -> None:
        self.server.current = self
        try:
            match self.path.strip("/").split("/"):
                case ["instances"]:
                    self._tell(201, self.server.instances.start(StartOrder.model_validate_json(self._body())))
                case ["instances", name, "kill"]:
                    self.server.instances.kill(name)
                    self._answer(200, b"{}")
                case _:
                    self._refuse(404, "there is nothing here")
        except InstanceRefused as exc:
            self._refuse(409, exc.reason)
        except ValidationError as exc:
            self._refuse(400, _faults_of(exc))
        except OSError as exc:
            self._refuse(409, str(exc))
        finally:
            self.server.current = None

    def do_PUT(self) -> None:
        if self.path != "/faults":
            self._refuse(404, "there is nothing here")
            return
        try:
            wanted = Faults.model_validate_json(self._body())
        except ValidationError as exc:
            self._refuse(400, _faults_of(exc))
            return
        self.server.faults.write(FaultLevels(**wanted.model_dump()))
        self._tell(200, wanted)

    def do_DELETE(self) -> None:
        match self.path.strip("/").split("/"):
            case ["instances", name]:
                self.server.instances.stop(name)
                self._answer(200, b"{}")
            case _:
                self._refuse(404, "there is nothing here")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Requests are not worth a line."""

    def _body(self) -> bytes:
        length = self.headers.get("content-length", "")
        return self.rfile.read(min(int(length), _LARGEST_BODY)) if length.isdigit() else b""

    def _tell(self, status: int, message: BaseModel) -> None:
        self._answer(status, message.model_dump_json().encode())

    def _refuse(self, status: int, problem: str) -> None:
        self._answer(status, json.dumps({"problem": problem}).encode())

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def main() -> int:
    parser = argparse.ArgumentParser(description="Launch and supervise the ledger's servers of one site.")
    parser.add_argument("--site", choices=["source", "target"], required=True)
    parser.add_argument("--control", type=int, required=True, metavar="PORT", help="control port on 127.0.0.1")
    parser.add_argument("--log", type=Path, required=True, metavar="DIR", help="where the servers' logs go")
    given = parser.parse_args()
    given.log.mkdir(parents=True, exist_ok=True)
    try:
        server = _ControlServer(given.control, given.log)
        for by in (signal.SIGTERM, signal.SIGINT):
            signal.signal(by, server.ask_to_end)
        server.instances.restore()  # not before: a signal would end the launcher without its servers
    except OSError as exc:
        print(f"launcher of the {given.site}: port {given.control}: {exc.strerror}", file=sys.stderr)  # noqa: T201
        return 1
    gc.collect()
    gc.freeze()  # or the children's first collection would touch, and so copy, every page they share
    while not server.ended:
        server.handle_request()
        server.instances.tend()
    server.server_close()
    server.instances.end()
    return 0


def _faults_of(exc: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
        for fault in exc.errors(include_input=False, include_url=False)
    )


if __name__ == "__main__":
    sys.exit(main())
