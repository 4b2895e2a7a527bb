"""Several sessions that make pieces of a schema at once, the largest first."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import groupby

from crossfade.database.errors import SideUnreachable
from crossfade.database.pieces import Piece
from crossfade.database.session import Session
from crossfade.model.errors import CrossfadeError

Make = Callable[[Session, Piece], None]
"""Makes a piece through a session, or raises a `CrossfadeError`."""


@dataclass(slots=True)
class Crew:
    """`sessions` are used by one thread each at a time; `end` ends the work of one, on its server.

    What cannot be made is kept in `failures`, by name of piece.
    """

    sessions: Sequence[Session]
    make: Make
    end: Callable[[Session], object]
    failures: dict[str, CrossfadeError] = field(default_factory=dict)
    _stopped: bool = False

    def carry_out(self, pieces: Iterable[Piece], made: Iterable[str]) -> None:
        """Make all but those in `made`, stage by stage. What depends on a failure is left, and so are later stages.

        A lost connection ends it once those that are at work have ended; so does an interruption, which ends them.
        """
        done = set(made)
        left = [piece for piece in pieces if piece.name not in done]
        for _, stage in groupby(sorted(left, key=lambda piece: piece.stage), key=lambda piece: piece.stage):
            if not self.failures:
                self._carry_out_stage(list(stage), done)

    def _carry_out_stage(self, waiting: list[Piece], done: set[str]) -> None:
        waiting.sort(key=lambda piece: -piece.size_bytes)
        idle = list(self.sessions if waiting[0].stage.at_once else self.sessions[:1])
        at_work: dict[Future[None], tuple[Piece, Session]] = {}
        with ThreadPoolExecutor(len(idle)) as pool:
            try:
                while True:
                    while idle and (piece := self._next(waiting, [busy for busy, _ in at_work.values()], done)):
                        waiting.remove(piece)
                        session = idle.pop()
                        at_work[pool.submit(self.make, session, piece)] = piece, session
                    if not at_work:
                        return
                    for future in wait(at_work, return_when=FIRST_COMPLETED).done:
                        piece, session = at_work.pop(future)
                        idle.append(session)
                        self._take(future, piece, done)
            except BaseException:
                for _, session in at_work.values():
                    self.end(session)
                raise

    def _next(self, waiting: list[Piece], at_work: list[Piece], done: set[str]) -> Piece | None:
        """The largest that needs nothing more and hinders nobody. What it needs may stand from an earlier stage."""
        open_ones = {piece.name for piece in (*waiting, *at_work)} | set(self.failures)
        for piece in () if self._stopped else waiting:
            if not (piece.needs - done) & open_ones and not any(piece.is_hindered_by(busy) for busy in at_work):
                return piece
        return None

    def _take(self, future: Future[None], piece: Piece, done: set[str]) -> None:
        try:
            future.result()
        except CrossfadeError as failure:
            self.failures[piece.name] = failure
            self._stopped = self._stopped or isinstance(failure, SideUnreachable)
        else:
            done.add(piece.name)
