"""Verification of two PostgreSQL servers, 13 or newer, by nothing but reading."""

from crossfade.model.errors import CrossfadeError
from crossfade.model.seen import Verification
from crossfade.model.terms import NoData, Side
from crossfade.verify.examination import How, Replays, examine
from crossfade.verify.settings import VerifySettings

__all__ = ["PostgresVerifier", "VerifySettings", "verify_at_rest", "verify_live"]


class PostgresVerifier:
    """The engine's verifier: live, in whichever direction replication runs."""

    def __init__(self, settings: VerifySettings, *, replays: Replays | None = None) -> None:
        """`replays` makes the wait for the other side from a session of the primary, where slots cannot tell."""
        self._settings, self._replays = settings, replays

    def verify(self, primary: Side) -> Verification | NoData:
        """Never raises for what servers and networks do: NO_DATA then says why."""
        try:
            return verify_live(self._settings, primary, replays=self._replays)
        except CrossfadeError as exc:
            return NoData(reason=str(exc))


def verify_at_rest(settings: VerifySettings) -> Verification:
    """Compare both sides while nobody writes; the target's sequences must not be behind the source's.

    Raises the errors of `crossfade.verify.errors`. A table that cannot be read counts as unresolved.
    """
    return examine(settings, How()).verification


def verify_live(
    settings: VerifySettings, primary: Side | None = None, *, replays: Replays | None = None
) -> Verification:
    """Compare both sides while `primary` takes writes (None: the side that an active subscription reads from).

    The primary's sequences must not be behind the other side's. Raises as `verify_at_rest` does, and
    `ReplicationNotFound` and `ReplayStalled`.
    """
    return examine(settings, How(live=True, primary=primary, replays=replays)).verification
