"""Wait for what replication brings, and do not let its sender oversleep meanwhile.

From PostgreSQL 16 on, a walsender looks how far the log is flushed and only then enters the list of those whom a flush
wakes (`WalSndWaitForWal`, `WalSndWait`). A flush between the two wakes nobody: a change that is followed by silence, as
the last one before a fence is, stays where it is until the subscriber's next status message, up to
`wal_receiver_status_interval` (10 s) later. Any later flush wakes the sender; so while we wait, we flush.
"""

import contextlib
from datetime import timedelta

from crossfade.database.session import Rows, Session
from crossfade.model.errors import CrossfadeError

_PAUSE = timedelta(milliseconds=50)  # later than an answer that is on its way comes, and far below what users notice
_SHORTLY = timedelta(seconds=1)
# an empty transaction to every subscriber, but one that is logged and flushed, also on a side that is fenced
_NUDGE = "BEGIN; SET LOCAL synchronous_commit = on; SELECT pg_logical_emit_message(true, 'crossfade', 'nudge'); COMMIT"


def answer_while_nudging(receiver: Session, sender: Session, *, patience: timedelta) -> Rows:
    """What `receiver` answers to the script it was sent, as `Session.receive` does; `sender` flushes until it comes.

    The answer never waits for `sender`, which may be lost or frozen. Of what was sent to it, the last answer may be
    still to come: `Session.roll_back` takes it.
    """
    deadline = receiver.pace.monotonic() + patience.total_seconds()
    with contextlib.suppress(CrossfadeError):  # a sender that is lost may have sent everything before
        nudged = False
        while not receiver.answered(within=_PAUSE) and receiver.pace.monotonic() < deadline:
            if nudged and not sender.answered(within=timedelta(0)):
                continue
            if nudged:
                sender.receive(patience=_SHORTLY)
            sender.send(_NUDGE)
            nudged = True
    left = timedelta(seconds=deadline - receiver.pace.monotonic())
    return receiver.receive(patience=max(left, timedelta(0)))


def run_while_nudging(receiver: Session, script: str, sender: Session, *, patience: timedelta) -> Rows:
    """Send `script` to `receiver`, and `answer_while_nudging`; after it, `sender` is at rest again."""
    receiver.send(script)
    try:
        return answer_while_nudging(receiver, sender, patience=patience)
    finally:
        if not sender.closed:
            sender.roll_back()
