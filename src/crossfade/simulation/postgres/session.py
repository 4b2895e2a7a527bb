"""A session of Crossfade's with a modelled server, in place of psycopg's."""

import contextlib
from datetime import timedelta
from typing import Any

from crossfade.database.errors import SideUnreachable, StatementFailed
from crossfade.database.session import Parameters, Query, Rows, Session
from crossfade.simulation.hub import Process, Signal
from crossfade.simulation.link import Link, Pipe
from crossfade.simulation.postgres.backend import Answer, Backend
from crossfade.simulation.postgres.reads import READS
from crossfade.simulation.postgres.server import Server
from crossfade.simulation.postgres.task import ServerError

_CONNECT_SECONDS = 5.0  # connect_timeout, at most
_CANCEL_SECONDS = 2.0
_KEEPALIVE_SECONDS = 11.0  # tcp_keepalives: 5 s idle, then 3 probes 2 s apart
_SETTLE = timedelta(seconds=1)
_NOTICEABLE_SECONDS = 0.001  # the way of an answer that is shorter is not waited for, but counted with the question


class ModelSession(Session):
    """Only within a process of the hub. What was sent before that process dies is still done by the server."""

    def __init__(self, server: Server, link: Link, *, application_name: str, patience: timedelta) -> None:
        self.side, self._server, self._link = server.side, server, link
        self._hub = self.pace = server.hub
        self._patience = patience.total_seconds()
        self._said = Signal()
        self._out, self._back = Pipe(link), Pipe(link)
        self._answers: list[Answer] = []
        self._unanswered = 0
        self._closed = self._lost = False
        self._cut_at: float | None = None
        self._owner: Process | None = None
        self._connect(application_name)

    def _connect(self, application_name: str) -> None:
        limit = max(2.0, min(self._patience, _CONNECT_SECONDS))
        if not self._link.up:
            self._link.on_change.append(self._hear)
            up = self._hub.wait_for(lambda: self._link.up, self._said, within=limit)
            self._link.on_change.remove(self._hear)
            if not up:
                raise SideUnreachable(self.side, "connection timeout expired")
        self._hub.sleep(2 * self._link.one_way() + self._server.latency.statement())
        if not self._server.up:
            raise SideUnreachable(self.side, "connection refused")
        self._backend = Backend(self._server, application_name, self._answered, self._broken)
        self.pid = self._backend.pid
        self._link.on_change.append(self._link_changed)
        self._server.clients[self.pid] = self._break_off
        self._owner = self._hub.current
        if self._owner is not None:
            self._owner.on_death.append(self.close)

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._server.clients.pop(self.pid, None)
        self._back.close()
        if not self._lost:
            self._out.send(self._hang_up)
        if self._owner is not None and self._owner.alive:
            self._owner.on_death.remove(self.close)

    def rows(self, query: Query, parameters: Parameters = None, *, patience: timedelta | None = None) -> Rows:
        self._check()
        text = query if isinstance(query, str) else query.as_string()
        if text in READS and self._link.up and not self._unanswered and self._backend.at_rest:
            return self._look(text, parameters)
        return self._asked(text, parameters, self._patience if patience is None else patience.total_seconds())

    def send(self, script: str) -> None:
        self._check()
        self._tell(script, None)

    def receive(self, *, patience: timedelta) -> Rows:
        self._check()
        if not self._unanswered:
            return []
        late = not self._heard(patience.total_seconds())
        if late and not (self._cancelled() and self._heard(self._patience)):
            raise self._given_up("the answer did not come in time")
        return [tuple(_as_text(value) for value in rows[0]) for rows in self._taken() if rows]

    def answered(self, *, within: timedelta) -> bool:
        return self._heard(within.total_seconds())

    def roll_back(self) -> None:
        while self._unanswered and not self._closed:
            with contextlib.suppress(StatementFailed):
                self.receive(patience=_SETTLE)
        super().roll_back()

    def abandon(self) -> None:
        if not self._closed:
            self._cancelled()
        self.close()

    def _look(self, text: str, parameters: Parameters) -> Rows:
        """As through the queue, at less cost: nothing is changed, so it does not matter who runs it."""
        hub, there = self._hub, self._link.one_way()
        back = self._link.one_way()
        hub.sleep(there + self._server.latency.statement() + (back if back < _NOTICEABLE_SECONDS else 0.0))
        if not self._link.up or not self._backend.at_rest:
            return self._asked(text, parameters, self._patience)
        try:
            rows = self._backend.look(text, parameters)
        except ServerError as error:
            raise self._named(error.sqlstate, error.message) from error
        if back >= _NOTICEABLE_SECONDS:
            hub.sleep(back)
        return rows

    def _asked(self, text: str, parameters: Parameters, seconds: float) -> Rows:
        self._tell(text, parameters)
        if not self._heard(seconds):
            raise self._given_up("the answer did not come in time")
        answer = self._taken()
        return answer[-1] if answer else []

    def _tell(self, text: str, parameters: Parameters) -> None:
        self._unanswered += 1
        self._out.send(lambda: self._backend.receive(text, parameters))

    def _heard(self, seconds: float) -> bool:
        """Whether an answer is here, or the news that none will come, within that time."""
        if self._answers or self._lost:
            return True
        if seconds <= 0:
            return False
        return self._hub.wait_for(lambda: bool(self._answers) or self._lost, self._said, within=seconds)

    def _taken(self) -> list[Rows]:
        if not self._answers:
            self.close()
            raise SideUnreachable(self.side, "server closed the connection unexpectedly")
        self._unanswered -= 1
        answer = self._answers.pop(0)
        if isinstance(answer, ServerError):
            raise self._named(answer.sqlstate, answer.message) from answer
        return answer

    def _check(self) -> None:
        if self._closed or self._lost:
            self.close()
            raise SideUnreachable(self.side, "the connection is closed")

    def _given_up(self, reason: str) -> SideUnreachable:
        self.close()
        return SideUnreachable(self.side, reason)

    def _cancelled(self) -> bool:
        """Over a connection of its own. False when there is no server to ask."""
        if self._lost or not self._reached():
            return False
        self._backend.cancel()
        return not self._lost

    def _reached(self) -> bool:
        if not self._link.up:
            self._link.on_change.append(self._hear)
            up = self._hub.wait_for(lambda: self._link.up, self._said, within=_CANCEL_SECONDS)
            self._link.on_change.remove(self._hear)
            if not up:
                return False
        self._hub.sleep(2 * self._link.one_way())
        return self._server.up

    # what comes from the other end

    def _answered(self, answer: Answer) -> None:
        def arrive() -> None:
            self._answers.append(answer)
            self._hear()

        self._back.send(arrive)

    def _broken(self) -> None:
        """The server has closed it."""
        self._forget_link()

        def arrive() -> None:
            self._lost = True
            self._hear()

        self._back.send(arrive)

    def _break_off(self) -> None:
        """Something between them forgets the connection. What the server has heard it does; nobody hears of it."""
        if not self._closed and not self._lost:
            self._back.close()
            self._out.send(self._hang_up)
            self._lost = True
            self._hear()

    def _hear(self) -> None:
        self._said.notify(self._hub)

    def _hang_up(self) -> None:
        self._forget_link()
        self._backend.hang_up()

    def _link_changed(self) -> None:
        """A server notices by keepalives that nobody is there, and ends the session."""
        if self._link.up:
            self._cut_at = None
            return
        self._cut_at = at = self._hub.seconds

        def silent() -> None:
            if self._cut_at == at:
                self._out.close()
                self._backend.hang_up()
                self._broken()

        self._hub.after(_KEEPALIVE_SECONDS, silent)

    def _forget_link(self) -> None:
        self._cut_at = None
        with contextlib.suppress(ValueError):
            self._link.on_change.remove(self._link_changed)


def _as_text(value: Any) -> str | None:
    """As a script's answers come: the server's text."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)
