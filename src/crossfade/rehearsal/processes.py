"""Programs that the rehearsal starts, and ends again, whatever happens to the rehearsal itself."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.model.errors import CrossfadeError

_PR_SET_PDEATHSIG = 1
_NOBODY = "nobody"
_LIBC = ctypes.CDLL(None, use_errno=True)
_PORTS = range(20000, 32000)  # below 32768: above, an outgoing connection may hold one


class PortBusy(CrossfadeError):
    """A port that must be used again (a resumed rehearsal) is held by somebody else."""

    remedy = "End the program that listens there, then resume."

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(f"port {port} on 127.0.0.1 is in use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What to start. Output goes to `log`. `unprivileged`: as root, run as nobody (PostgreSQL refuses root).

    `on_orphaned` is the signal the kernel sends the program when the rehearsal dies, so that nothing is left running.
    """

    argv: Sequence[str]
    log: Path
    cwd: Path = Path("/")
    environment: Mapping[str, str] | None = None
    unprivileged: bool = False
    on_orphaned: signal.Signals = signal.SIGTERM


def start(launch: Launch) -> subprocess.Popen[bytes]:
    """Start the program in a process group of its own, so that a Ctrl-C at the terminal reaches only the rehearsal."""
    drop = launch.unprivileged and os.geteuid() == 0
    argv = list(launch.argv)
    identity: dict[str, Any] = {}
    if drop and all(_nobody_reaches(Path(word)) for word in argv if word.startswith("/")):
        identity = {"user": _NOBODY, "group": _group_of_nobody(), "extra_groups": []}
    elif drop:  # the project lies below a folder that only root may enter, such as /root
        # a change of account clears the signal that was asked for below, so setpriv asks for it again
        orphaned = f"--pdeathsig={launch.on_orphaned.name.removeprefix('SIG')}"
        argv = [*_ENTER_ANY_FOLDER, f"--regid={_group_of_nobody()}", orphaned, "--", *argv]
    with launch.log.open("ab") as log:
        process: subprocess.Popen[bytes] = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=launch.cwd,
            env=None if launch.environment is None else dict(launch.environment),
            process_group=0,
            preexec_fn=_orphan_signal(launch.on_orphaned),  # noqa: PLW1509 - no threads run when parts are started
            **identity,
        )
    return process


def stop(process: subprocess.Popen[bytes], *, timeout: float, by: signal.Signals = signal.SIGTERM) -> None:
    """End the program: politely, and after `timeout` seconds by force. Returns when it is gone."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def give_to_nobody(place: Path) -> None:
    """As root, hand a folder to the account that unprivileged programs run as."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam(_NOBODY)
        os.chown(place, nobody.pw_uid, nobody.pw_gid)


def free_ports(count: int) -> list[int]:
    """`count` ports of 127.0.0.1 that nobody listens on, between 20000 and 32000."""
    found: list[int] = []
    start_at = _PORTS.start + os.getpid() * 37 % len(_PORTS)
    for offset in range(len(_PORTS)):
        port = _PORTS.start + (start_at - _PORTS.start + offset) % len(_PORTS)
        if is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise PortBusy(_PORTS.start)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _orphan_signal(by: signal.Signals) -> Callable[[], None]:
    def ask_kernel() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)

    return ask_kernel


_ENTER_ANY_FOLDER = (
    "setpriv",
    f"--reuid={_NOBODY}",
    "--clear-groups",
    "--inh-caps=+dac_override",
    "--ambient-caps=+dac_override",
)


def _group_of_nobody() -> int:
    return pwd.getpwnam(_NOBODY).pw_gid


def _nobody_reaches(place: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in place.resolve().parents)
