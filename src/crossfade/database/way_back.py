"""The replication by which writes return: built asleep before the cutover, woken after each switch."""

import uuid

from crossfade.database import fence, state
from crossfade.database.channel import Channel
from crossfade.database.drift import unlisted
from crossfade.database.errors import NotDrained, ReplicationNotReady
from crossfade.database.nudge import run_while_nudging
from crossfade.database.session import Session
from crossfade.database.settings import NativeSettings
from crossfade.model.terms import Side

PURPOSE = "way_back"


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

    Raises `ReplicationNotReady`, `NotDrained`, `SlotLost`.
    """
    if not state.state_of(primary).open:
        raise ReplicationNotReady(primary.side, "this side does not take writes, so nothing can return from it")
    arriving, leaving = Channel(other, primary), Channel(primary, other)
    leaving.check_slot()
    # never both at once: each would send the other's changes back
    arriving.put_to_sleep()
    leaving.awaken()
    token, patience = str(uuid.uuid4()), settings.wake_timeout
    primary.run(fence.mark_script(PURPOSE, token), patience=settings.drain_timeout)
    try:
        run_while_nudging(other, fence.await_script(token, patience), primary, patience=2 * patience)
    except NotDrained as exc:
        raise NotDrained(Side(other.side), patience) from exc


def is_proven(primary: Session, other: Session) -> bool:
    """Whether the other side has a marker that was written under the primary's present epoch."""
    epoch = state.state_of(primary).epoch
    seen = other.value(
        "SELECT epoch FROM crossfade.marker WHERE origin = %s AND purpose = %s", (str(primary.side), PURPOSE)
    )
    return bool(seen is not None and seen >= epoch)
