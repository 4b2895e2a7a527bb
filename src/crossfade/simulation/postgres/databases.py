"""Both modelled servers, the link between them, and the real role on top."""

import random
from datetime import timedelta
from pathlib import Path

from crossfade.database.native import NativeReplication
from crossfade.database.schema import Schema
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings, Reach
from crossfade.database.switch import At
from crossfade.model.seen import Finding
from crossfade.model.terms import Side
from crossfade.simulation.hub import Hub
from crossfade.simulation.link import Link
from crossfade.simulation.postgres.acts import CREATE_FIRST_HALF, CREATE_SECOND_HALF, DROP_APPLICATION
from crossfade.simulation.postgres.catalog import SCHEMA
from crossfade.simulation.postgres.server import Server
from crossfade.simulation.postgres.session import ModelSession

_SCHEMA = timedelta(minutes=5)


class Databases:
    """Two servers, and the two links: `wan` between the sites, `lan` within the engine's, which is `engine_at`.

    Replication goes through the WAN, and so do the engine's sessions with the other site. `calm` leaves out what is
    late for no reason; `retry_seconds` is each server's wal_retrieve_retry_interval.
    """

    def __init__(
        self,
        hub: Hub,
        rng: random.Random,
        *,
        engine_at: Side = Side.SOURCE,
        retry_seconds: float = 5.0,
        calm: bool = False,
    ) -> None:
        self.hub, self._engine_at = hub, engine_at
        self.wan = Link(hub, _child(rng), stalls=not calm)
        self.lan = Link(hub, _child(rng), round_trip=0.0001, stalls=not calm)
        self.source, self.target = (
            Server(hub, side, _child(rng), retry_seconds=retry_seconds, calm=calm) for side in Side
        )
        for side in Side:
            self[side].peer, self[side].link = self[side.other], self.wan

    def __getitem__(self, side: Side) -> Server:
        return self.source if side is Side.SOURCE else self.target

    def connect(self, side: Side, dsn: str, *, application_name: str, patience: timedelta) -> Session:  # noqa: ARG002
        """In place of psycopg's session: `crossfade.database.session.Connector`."""
        link = self.lan if side is self._engine_at else self.wan
        return ModelSession(self[side], link, application_name=application_name, patience=patience)

    def role(self, settings: NativeSettings | None = None, at: At | None = None) -> "ModelReplication":
        """The real role. Its verbs wait, so they are called within a process of the hub."""
        return ModelReplication(self, settings or plain_settings(), at)


class ModelReplication(NativeReplication):
    """The real role but for what PostgreSQL's programs do: preflight finds nothing, and the schema is copied here."""

    def __init__(self, databases: Databases, settings: NativeSettings, at: At | None = None) -> None:
        super().__init__(settings, at, connector=databases.connect, pace=databases.hub)
        self._schema = ModelSchema(settings, self._connect)

    def preflight(self) -> tuple[Finding, ...]:
        with self._both() as both:
            for side in Side:
                both[side].rows("SELECT 1")
        return ()


class ModelSchema(Schema):
    """Copies the application's tables between modelled servers."""

    def create_first_half(self, source: Session, target: Session) -> None:  # noqa: ARG002 - read by the model
        if self._is_done(target, "first"):
            return
        fenced = "SELECT crossfade.fence(0); INSERT INTO crossfade.made VALUES ('half', 'first')"
        target.run(f"BEGIN; {CREATE_FIRST_HALF}; {fenced}; COMMIT", patience=_SCHEMA)

    def create_second_half(self, source: Session, target: Session) -> None:  # noqa: ARG002 - read by the model
        if self._is_done(target, "second"):
            return
        noted = "INSERT INTO crossfade.made VALUES ('half', 'second')"
        target.run(f"BEGIN; {CREATE_SECOND_HALF}; {noted}; COMMIT", patience=_SCHEMA)

    def drop(self, target: Session) -> None:
        target.rows(DROP_APPLICATION, patience=_SCHEMA)

    @staticmethod
    def _is_done(target: Session, half: str) -> bool:
        return (half,) in target.rows("SELECT name FROM crossfade.made WHERE kind = %s", ("half",))


def plain_settings() -> NativeSettings:
    """Of the role as a migration has it; how the sides are reached means nothing here."""
    nowhere = Reach(dsn="", subscriber_dsn="")
    return NativeSettings(source=nowhere, target=nowhere, programs=Path(), schemas=(SCHEMA,))


def _child(rng: random.Random) -> random.Random:
    return random.Random(rng.getrandbits(64))
