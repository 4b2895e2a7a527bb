"""The replication by which writes return: built asleep before the cutover, woken after each switch."""

import uuid

from crossfade.database import fence, state
from crossfade.database.channel import Channel
from crossfade.database.errors import NotDrained, ReplicationNotReady
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
        other.run(fence.await_script(token, patience), patience=2 * patience)
    except NotDrained as exc:
        raise NotDrained(Side(other.side), patience) from exc


def is_proven(primary: Session, other: Session) -> bool:
    """Whether the other side has a marker that was written under the primary's present epoch."""
    epoch = state.state_of(primary).epoch
    seen = other.value(
        "SELECT epoch FROM crossfade.marker WHERE origin = %s AND purpose = %s", (str(primary.side), PURPOSE)
    )
    return bool(seen is not None and seen >= epoch)
