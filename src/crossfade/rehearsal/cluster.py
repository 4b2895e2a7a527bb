"""A PostgreSQL server of the rehearsal: made, started, ended and killed by us, on 127.0.0.1 only."""

import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg

from crossfade.model.errors import CrossfadeError
from crossfade.rehearsal.parts import PostgresPrograms
from crossfade.rehearsal.processes import Launch, PortBusy, give_to_nobody, is_free
from crossfade.rehearsal.program import Program

_START_SECONDS = 120.0  # a slow disk is flushed file by file after a crash; a server that cannot start ends at once
_INITDB_SECONDS = 120.0
_STOP_SECONDS = 20.0
_READY_MARK = "crossfade.created"
_FULL_DISK = "crossfade.rehearsal.faults.full_disk"

_SETTINGS: dict[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_wal_senders": "20",
    "max_replication_slots": "20",
    "max_worker_processes": "20",
    "max_logical_replication_workers": "12",
    "max_sync_workers_per_subscription": "2",
    "wal_retrieve_retry_interval": "500ms",  # 5 s, the default, would be the pause after each broken link
    "max_slot_wal_keep_size": "2GB",
    "max_wal_size": "512MB",
    "max_connections": "400",
    "shared_buffers": "64MB",
    "track_commit_timestamp": "off",  # on, a target logs a line for each conflict it imagines
    "autovacuum_max_workers": "1",
    "autovacuum_vacuum_cost_delay": "5ms",
    "jit": "off",
    "timezone": "UTC",
    "lc_messages": "C",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %a: ",
    # statements and their values hold people's data: they are not for logs
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
}
_SETTINGS_SINCE: dict[int, dict[str, str]] = {18: {"io_method": "sync"}}  # its I/O workers buy nothing at this size


class ClusterNotCreated(CrossfadeError):
    """Initdb failed; `log_tail` are its last lines."""

    def __init__(self, directory: Path, log_tail: str) -> None:
        self.directory, self.log_tail = directory, log_tail
        self.remedy = _remedy(log_tail, directory)
        super().__init__(f"no PostgreSQL cluster could be made in {directory}: {log_tail}")


class ClusterNotStarted(CrossfadeError):
    """The server ended, or did not answer in time; `log_tail` are the last lines of its log."""

    retryable = True

    def __init__(self, directory: Path, log_tail: str) -> None:
        self.directory, self.log_tail = directory, log_tail
        self.remedy = _remedy(log_tail, directory)
        super().__init__(f"PostgreSQL in {directory} did not start: {log_tail}")


class Cluster:
    """One server with its data below `directory`, superuser `postgres`, everybody on 127.0.0.1 trusted.

    Works as root (the server then runs as nobody) and as any other user. If this process dies, the kernel sends the
    server a fast shutdown. `settings` are added to postgresql.conf and win over ours. With `fillable_disk` its disk can
    be made full; each write then costs some 50 µs more.
    """

    def __init__(
        self,
        *,
        programs: PostgresPrograms,
        directory: Path,
        port: int,
        settings: Mapping[str, str] | None = None,
        fillable_disk: bool = False,
    ) -> None:
        self.programs, self.directory, self.port = programs, directory.absolute(), port
        self.data, self.log = self.directory / "data", self.directory / "postgres.log"
        self._settings = _SETTINGS | _SETTINGS_SINCE.get(programs.major, {}) | dict(settings or {})
        self._full, self._fillable_disk = self.directory / "disk-is-full", fillable_disk
        self._server = Program()

    def create(self) -> None:
        """The cluster's files exist; nothing happens when they do already. Raises `ClusterNotCreated`."""
        if (self.directory / _READY_MARK).exists():
            return
        shutil.rmtree(self.data, ignore_errors=True)  # what an initdb that was killed left
        try:
            self._make()
        except OSError as exc:
            raise ClusterNotCreated(self.directory, str(exc)) from exc

    def _make(self) -> None:
        self.data.mkdir(parents=True, mode=0o700)
        give_to_nobody(self.data)
        log = self.directory / "initdb.log"
        argv = [str(self.programs.path("initdb")), "-D", str(self.data), "-U", "postgres", "--auth=trust"]
        argv += ["--encoding=UTF8", "--locale=C", "--no-sync"]
        initdb = Program()
        try:
            initdb.start(Launch(argv=argv, log=log, unprivileged=True, on_orphaned=signal.SIGTERM))
            code = initdb.wait(_INITDB_SECONDS)
        finally:
            initdb.stop(timeout=5)
        if code != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            raise ClusterNotCreated(self.directory, _tail(log))
        lines = [f"{name} = '{value}'" for name, value in (self._settings | {"port": str(self.port)}).items()]
        configuration = self.data / "postgresql.conf"
        with configuration.open("a", encoding="utf-8") as file:
            file.write("\n".join(["", "# the rehearsal's", *lines, ""]))
        (self.directory / _READY_MARK).touch()

    def start(self) -> None:
        """Returns when the server answers. Raises `PortBusy` or `ClusterNotStarted`; then nothing is running."""
        if self.pid is not None:
            return
        if not is_free(self.port):
            raise PortBusy(self.port)
        # the port is said again because the port of a resumed rehearsal may be another one
        argv = [str(self.programs.path("postgres")), "-D", str(self.data), "-p", str(self.port)]
        if self._fillable_disk:
            argv = [sys.executable, "-m", _FULL_DISK, str(self.data), str(self._full), *argv]
        try:
            self._server.start(
                Launch(argv=argv, log=self.log, unprivileged=True, on_orphaned=signal.SIGINT)  # SIGINT: fast shutdown
            )
        except OSError as exc:
            raise ClusterNotStarted(self.directory, str(exc)) from exc
        deadline = time.monotonic() + _START_SECONDS
        while self.alive and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.02)
        self._server.stop(timeout=5, by=signal.SIGQUIT)
        raise ClusterNotStarted(self.directory, _tail(self.log))

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything is flushed. Returns when the server is gone.

        One that cannot flush, its disk being full, is killed after a while: its log brings it back to what it promised.
        """
        if not self.alive:
            return
        self._server.send(signal.SIGINT)
        if self._server.wait(_STOP_SECONDS) is None:
            self.kill()

    def kill(self) -> None:
        """As a power cut would: SIGKILL for the server and all its processes. Returns when they are gone."""
        if (pid := self.pid) is None:
            return
        server = psutil.Process(pid)
        everyone = [server, *server.children(recursive=True)]
        for process in everyone:  # children that outlive the server hold its shared memory: it could not start again
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._server.kill()
        psutil.wait_procs(everyone, timeout=_STOP_SECONDS)

    def fill_disk(self) -> None:
        """No file of the server can grow until `make_room`. Without effect on one whose disk is not fillable."""
        self._full.touch()

    def make_room(self) -> None:
        self._full.unlink(missing_ok=True)

    @property
    def disk_is_full(self) -> bool:
        return self._full.exists()

    @property
    def alive(self) -> bool:
        return self.pid is not None

    @property
    def pid(self) -> int | None:
        """The server's process id; None while it is not running."""
        return self._server.pid

    def dsn(self, *, user: str = "postgres", database: str = "postgres") -> str:
        return f"host=127.0.0.1 port={self.port} user={user} dbname={database}"

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


def _tail(log: Path, lines: int = 6) -> str:
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError as exc:
        return str(exc)
    return " | ".join(line.strip() for line in text.splitlines()[-lines:]) or "its log is empty"


def _remedy(log_tail: str, directory: Path) -> str:
    if "No space left" in log_tail:
        return f"The disk of {directory} is full: free some space, then resume."
    if "could not bind" in log_tail or "Address already in use" in log_tail:
        return "Another program took the port in the meantime: end it, then resume."
    if "ermission denied" in log_tail:
        return f"Choose a place for {directory} that the user who runs PostgreSQL may enter."
    return f"Read the log below {directory}; it says what PostgreSQL missed."
