"""Programs that the rehearsal starts, and ends again, whatever happens to the rehearsal itself."""

import ctypes
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from crossfade.model.errors import CrossfadeError

_PR_SET_PDEATHSIG = 1
_NOBODY = "nobody"
_LIBC = ctypes.CDLL(None, use_errno=True)
_PORTS = range(20000, 32000)  # below 32768: above, an outgoing connection may hold one
_RANGE = 100  # more than any rehearsal needs
_RANGES = len(_PORTS) // _RANGE
_held: dict[int, socket.socket] = {}


class PortBusy(CrossfadeError):
    """Ports that must be used again (a resumed rehearsal) are held by somebody else."""

    remedy = "End the program that listens there, then resume."

    def __init__(self, *ports: int) -> None:
        self.ports = ports
        named = ", ".join(map(str, ports))
        super().__init__(f"port {named} on 127.0.0.1 is in use" if len(ports) == 1 else f"ports {named} are in use")


class NoPortsLeft(CrossfadeError):
    """Every range of ports is taken by other rehearsals, or by other programs."""

    remedy = "End rehearsals that you no longer need (`crossfade status` lists those of this folder), then try again."

    def __init__(self, count: int, among: range = _PORTS) -> None:
        self.count, self.among = count, among
        super().__init__(f"there are no {count} free ports left between {among.start} and {among.stop - 1}")


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
    """Start the program in a process group of its own, so that a Ctrl-C at the terminal reaches only the rehearsal.

    Who may be interrupted starts a `Program` instead.
    """
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
            preexec_fn=_orphan_signal(launch.on_orphaned, os.getpid()),  # noqa: PLW1509 - no threads run when parts are started
            **identity,
        )
    return process


def await_end_of(folder: Path, seconds: float) -> None:
    """Return when no program of the rehearsal in `folder` runs any more, or after `seconds`.

    After its conductor was killed, a database needs a moment to end in order.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(_works_in(process, str(folder)) for process in psutil.process_iter()):
        time.sleep(0.1)


def _works_in(process: psutil.Process, folder: str) -> bool:
    try:
        return any(word.startswith(f"{folder}/") for word in process.cmdline()[1:])
    except psutil.Error:
        return False


def stop(process: subprocess.Popen[bytes], *, timeout: float, by: signal.Signals = signal.SIGTERM) -> None:
    """End the program: politely, and after `timeout` seconds by force, with its group. Returns when it is gone."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # it is not reaped yet, so the number is still its own
    process.wait()


def give_to_nobody(place: Path) -> None:
    """As root, hand a folder to the account that unprivileged programs run as."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam(_NOBODY)
        os.chown(place, nobody.pw_uid, nobody.pw_gid)


def free_ports(count: int, *, but: Container[int] = (), among: range = _PORTS) -> list[int]:
    """`count` ports of 127.0.0.1 that nobody listens on, `among` those of 20000 to 31999, and none of `but`.

    They come from ranges that this process holds until it ends, so two that choose at the same time choose different
    ones. Raises `NoPortsLeft`.
    """
    found: list[int] = []
    first = os.getpid() % _RANGES  # any will do; not the same for all
    for number in [*_held, *((first + offset) % _RANGES for offset in range(_RANGES))]:
        start_at = _PORTS.start + number * _RANGE
        offered = range(max(start_at, among.start), min(start_at + _RANGE, among.stop))
        if not offered or not _hold(number):
            continue
        found += [port for port in offered if port not in but and is_free(port)]
        found = list(dict.fromkeys(found))
        if len(found) >= count:
            return found[:count]
    raise NoPortsLeft(count, among)


def hold_ports(ports: Iterable[int]) -> None:
    """Nobody who asks for free ports is given these, or their neighbours, while this process lives."""
    for number in {(port - _PORTS.start) // _RANGE for port in ports if port in _PORTS}:
        _hold(number)


def _hold(number: int) -> bool:
    """Whether this process holds the range: a name that the kernel gives to one process, and takes back at its end."""
    if number not in _held:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0crossfade ports {number}")
        except OSError:
            claim.close()
            return False
        _held[number] = claim
    return True


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _orphan_signal(by: signal.Signals, parent: int) -> Callable[[], None]:
    def ask_kernel() -> None:
        for number in signal.valid_signals():  # Python's handlers would swallow what the kernel sends before the exec
            if callable(signal.getsignal(number)):
                signal.signal(number, signal.SIG_DFL)
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

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
