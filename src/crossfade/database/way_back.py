"""The replication by which writes return: built asleep before the cutover, woken after each switch."""

import uuid
from datetime import timedelta

from crossfade.database import fence, state
from crossfade.database.channel import Channel
from crossfade.database.drift import unlisted
from crossfade.database.errors import NotDrained, ReplicationNotReady
from crossfade.database.nudge import run_while_nudging
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings
from crossfade.model.terms import Side

PURPOSE = "way_back"
_NOTED = timedelta(seconds=5)
# the message gives the transaction something to flush: a position alone would be flushed some time later
_BEGINS = """
SELECT r.begins_at::text, coalesce(s.confirmed_flush_lsn > r.begins_at, false)
FROM crossfade.slot_record r LEFT JOIN pg_replication_slots s ON s.slot_name = r.slot_name
WHERE r.slot_name = %s AND r.begins_at IS NOT NULL
"""
_MARKER = "SELECT token::text FROM crossfade.marker WHERE origin = %s AND purpose = %s"
_HAS_RUN = """
SELECT coalesce(pg_replication_origin_progress('pg_' || oid, true) > %(begins)s::pg_lsn, false)
FROM pg_subscription WHERE subname = %(name)s
AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_BEGIN_AT = """BEGIN; SET LOCAL synchronous_commit = on;
SELECT pg_replication_origin_advance('pg_' || oid, '{at}') FROM pg_subscription
WHERE subname = '{name}' AND subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
AND coalesce(pg_replication_origin_progress('pg_' || oid, false), '0/0') < '{at}';
SELECT pg_logical_emit_message(true, 'crossfade', 'position'); COMMIT"""


def build(settings: NativeSettings, source: Session, target: Session) -> None:
    """Publication and slot on the target, a disabled subscription on the source; nothing is copied."""
    back = Channel(target, source)
    back.publish()
    back.keep_slot()
    back.subscribe(settings.target.subscriber_dsn, copy=False)


def mend(settings: NativeSettings, path: Channel) -> None:
    """A sleeping way back holds every table again, also those that were added to the migration since it was built.

    Only while its publisher is closed, so that nothing on it waits to be carried.
    """
    publisher, subscriber = path.publisher, path.subscriber
    if not path.has_subscription() or path.is_enabled() or not unlisted(publisher, subscriber, path.name):
        return
    with fence.held_if_free(publisher) as free:
        if free and not state.state_of(publisher).open and not path.is_running():
            path.unsubscribe()
            path.withdraw()
            path.publish()
            path.subscribe(settings.reach(publisher.side).subscriber_dsn, copy=False)


def wake(settings: NativeSettings, primary: Session, other: Session) -> None:
    """What led to `primary` sleeps, what leads away from it runs, and a marker written now was seen on the other side.

    Raises `ReplicationNotReady`, `NotDrained`, `SlotLost`; the last also when somebody wrote past the other side's
    fence while that side was still listened to: what would return is there already. And when what was written first
    after the opening has not come over: the slot was made again in between.
    """
    if not state.state_of(primary).open:
        raise ReplicationNotReady(primary.side, "this side does not take writes, so nothing can return from it")
    arriving, leaving = Channel(other, primary), Channel(primary, other)
    leaving.check_slot()
    # never both at once: each would send the other's changes back
    arriving.put_to_sleep()
    begin_where_opened(leaving)
    leaving.awaken()
    token, patience = str(uuid.uuid4()), settings.wake_timeout
    primary.run(fence.mark_script(PURPOSE, token), patience=settings.drain_timeout)
    try:
        run_while_nudging(other, fence.await_script(token, patience), primary, patience=2 * patience)
    except NotDrained as exc:
        other.roll_back()
        if is_proven(primary, other):  # another engine was at it, and its marker has come: let that be
            _check_whole(leaving)
            return
        if echoes := leaving.echoes():
            raise leaving.lose(
                f"{echoes} changes that somebody made on the {other.side} around the fence have arrived here,"
                f" and would return to where they came from"
            ) from exc
        raise NotDrained(Side(other.side), patience) from exc
    _check_whole(leaving)


def _check_whole(path: Channel) -> None:
    """What a side wrote when it was opened has arrived, so nothing that came after it was left out. Raises `SlotLost`.

    Only where a switch has opened it; a source that never gave its writes away has written no such thing.
    """
    of = (str(path.publisher.side), fence.OPENED)
    first = path.publisher.value(_MARKER, of)
    if first is not None and path.subscriber.value(_MARKER, of) != first:
        raise path.lose("what was written first after the opening has not come over it: it was made again")


def begin_where_opened(path: Channel) -> None:
    """A sleeping way back will ask for nothing from before its publisher was opened, whatever its slot says.

    The switch advanced the slot, but a crash of the publisher before its next checkpoint takes that back, and would
    have it send again what had come from the subscriber. The subscriber's own note of the position is durable when
    this returns. Source: PostgreSQL manual, `pg_replication_slot_advance` and `pg_replication_origin_advance`.
    """
    found = path.publisher.rows(_BEGINS, (path.name,))
    if not found or path.is_enabled():
        return
    ((begins, is_later),) = found
    if is_later and not path.subscriber.value(_HAS_RUN, {"name": path.name, "begins": begins}):
        # while it slept nobody but the switch could advance it
        raise path.lose("it is past where the way back begins, and nothing has come over it: it was made again")
    path.subscriber.run(_BEGIN_AT.format(name=path.name, at=begins), patience=_NOTED)


def is_proven(primary: Session, other: Session) -> bool:
    """Whether the other side has a marker that was written under the primary's present epoch."""
    epoch = state.state_of(primary).epoch
    seen = other.value(
        "SELECT epoch FROM crossfade.marker WHERE origin = %s AND purpose = %s", (str(primary.side), PURPOSE)
    )
    return bool(seen is not None and seen >= epoch)
