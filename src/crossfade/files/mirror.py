"""One round: look at both shares, decide for each path, carry it out, remember."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from crossfade.durable import settle
from crossfade.files.delivery import Delivery, Moved, deliver
from crossfade.files.errors import ShareUnusable
from crossfade.files.index import Entry, Index
from crossfade.files.plan import Action, Mode, Signature, decide, resolve
from crossfade.files.share import FileFault, Look, Share, fault, parent
from crossfade.model.terms import Side

_BATCH = 128
_AT_ONCE = 4  # so that one file's fsync does not hold up the next file's reading
_FEW = 10


@dataclass(slots=True)
class Round:
    """What a round found on the primary, and what it left undone.

    `undone`: paths still to be brought in step; `failed` of them only once somebody helps. `odd`: what stands on the
    primary and cannot be copied at all. `left`: paths that belong to the new direction. `complete`: every path was
    dealt with, which is False for a round that was broken off.
    """

    files: int = 0
    bytes: int = 0
    undone: int = 0
    failed: int = 0
    odd: int = 0
    left: int = 0
    complete: bool = False
    faults: list[FileFault] = field(default_factory=list)

    @property
    def pending(self) -> int:
        return self.undone + self.odd + self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    primary: Side
    mode: Mode


@dataclass(frozen=True, slots=True)
class _Task:
    path: str
    action: Action
    primary: Signature | None
    other: Signature | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The entry to remember; `gone` to forget it; neither and no fault: look again in the next round."""

    path: str
    entry: Entry | None = None
    gone: bool = False
    left: bool = False
    fault: FileFault | None = None


class Mirror:
    """Both shares and the index between them. `keep_on` is asked between batches; `tell` hears how far a round is."""

    def __init__(
        self,
        shares: Mapping[Side, Share],
        index: Index,
        *,
        keep_on: Callable[[], bool] = lambda: True,
        tell: Callable[[Round], None] = lambda _: None,
    ) -> None:
        self._shares = shares
        self._index = index
        self._keep_on = keep_on
        self._tell = tell

    def go_round(self, direction: Direction, *, thorough: bool) -> Round:
        """Bring the shares in step as they are now. `thorough`: every file's size and time is looked at, else new,
        removed and replaced ones only. Raises `ShareUnusable`.
        """
        found, tasks = self._look(direction, thorough=thorough)
        if tasks is None:
            return found
        found.undone = len(tasks)
        self._tell(found)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for batch in _batches(tasks):
                if not self._keep_on():
                    return found
                outcomes = list(pool.map(lambda task: self._carry_out(task, direction), batch))
                self._remember(outcomes, found)
                self._tell(found)
        found.complete = True
        return found

    def remove_copy(self, side: Side) -> int:
        """Remove what was delivered to `side`, even if altered there since; how many files could not be removed.

        A file that was never delivered is not ours: it stays.
        """
        share = self._shares[side]
        kept = 0
        for path in list(self._index.signatures(side)):
            try:
                current = share.signature(path)
                kept += current is not None and not share.remove(path, current)
            except OSError:
                kept += 1
        share.tidy(empty_folders=True)
        return kept

    def tidy(self) -> None:
        """Remove what an agent that was killed left unfinished on either share. Raises `ShareUnusable`."""
        for share in self._shares.values():
            try:
                share.tidy(empty_folders=False)
            except OSError as refused:
                raise ShareUnusable(root=share.root, reason=refused.strerror or str(refused)) from refused

    def _look(self, direction: Direction, *, thorough: bool) -> tuple[Round, list[_Task] | None]:
        primary, other = direction.primary, direction.primary.other
        looks: dict[Side, Look] = {}
        for side in (primary, other):
            looks[side] = self._shares[side].look({} if thorough else self._index.signatures(side))
        here, there = looks[primary], looks[other]
        found = Round(files=len(here.files), bytes=sum(file.size for file in here.files.values()))
        found.faults.extend([*here.faults, *there.faults])
        found.odd = len(here.faults)
        vanished = not here.files and bool(there.files) and len(self._index) > _FEW
        if vanished:  # more likely a share that is not mounted than somebody who removed everything
            found.faults.append(fault("", f"all files vanished from the {primary}", "Mount the share; or empty both."))
            found.undone = len(self._index)
            return found, None
        tasks: list[_Task] = []
        for path in self._touched(primary, here) | self._touched(other, there):
            task = self._task(path, here, there, direction)
            if task.action is Action.LEAVE:
                found.left += 1
            elif task.action is Action.STRAY:
                found.faults.append(fault(path, f"stands on the {other} only", "Remove it there if nobody needs it."))
            elif task.action is not Action.NOTHING:
                tasks.append(task)
        tasks.sort(key=lambda task: (task.action is not Action.DELETE, task.path))
        return found, tasks

    def _touched(self, side: Side, look: Look) -> set[str]:
        """Paths that may not be as they were: what is recognised by its inode carries the very signature it had."""
        known = self._index.signatures(side)
        touched = {path for path, found in look.files.items() if known.get(path) is not found}
        return touched | (known.keys() - look.files.keys())

    def _task(self, path: str, here: Look, there: Look, direction: Direction) -> _Task:
        primary, other = here.files.get(path), there.files.get(path)
        if (primary is None and here.hides(path)) or (other is None and there.hides(path)):
            return _Task(path, Action.NOTHING, primary, other)
        entry = self._index.get(path)
        last = entry.seen_from(direction.primary) if entry else None
        return _Task(path, decide(primary, other, last, direction.mode), primary, other)

    def _carry_out(self, task: _Task, direction: Direction) -> _Outcome:
        try:
            return self._act(task, task.action, direction)
        except (Moved, FileNotFoundError):
            return _Outcome(task.path)
        except OSError as refused:
            reason = refused.strerror or str(refused)
            remedy = "Make room, or give the right; it is tried again by itself."
            return _Outcome(task.path, fault=fault(task.path, f"not delivered: {reason}", remedy))

    def _act(self, task: _Task, action: Action, direction: Direction) -> _Outcome:
        primary, other = self._shares[direction.primary], self._shares[direction.primary.other]
        match action:
            case Action.COPY:
                done = deliver(primary, other, task.path, task.other)
                return _delivered(task.path, done, direction.primary)
            case Action.FETCH:
                done = deliver(other, primary, task.path, task.primary)
                return _delivered(task.path, done, direction.primary.other)
            case Action.COMPARE:
                return self._compare(task, direction)
            case Action.DELETE:
                assert task.other is not None
                return _Outcome(task.path, gone=other.remove(task.path, task.other))
            case Action.FORGET:
                return _Outcome(task.path, gone=True)
            case Action.LEAVE:
                return _Outcome(task.path, left=True)
            case Action.NOTHING | Action.STRAY:
                raise AssertionError(action)

    def _compare(self, task: _Task, direction: Direction) -> _Outcome:
        assert task.primary is not None
        assert task.other is not None
        here, seen_here = self._shares[direction.primary].digest(task.path)
        there, seen_there = self._shares[direction.primary.other].digest(task.path)
        if (seen_here, seen_there) != (task.primary, task.other):
            raise Moved(task.path)
        if here == there:
            return _delivered(task.path, Delivery(here, task.primary, task.other), direction.primary)
        return self._act(task, resolve(task.primary, task.other, direction.mode), direction)

    def _remember(self, outcomes: list[_Outcome], found: Round) -> None:
        folders = {parent(outcome.path) for outcome in outcomes if outcome.entry}
        for share in self._shares.values():
            for folder in folders:  # names first, then the index that vouches for them
                place = share.root / folder
                if place.is_dir():
                    settle(place)
        for outcome in outcomes:
            if outcome.entry:
                self._index.put(outcome.path, outcome.entry)
            elif outcome.gone:
                self._index.drop(outcome.path)
            elif outcome.left:
                found.left += 1
            elif outcome.fault:
                found.faults.append(outcome.fault)
                found.failed += 1
            found.undone -= bool(outcome.entry or outcome.gone or outcome.left)
        self._index.commit()


def _delivered(path: str, done: Delivery, origin: Side) -> _Outcome:
    if origin is Side.SOURCE:
        return _Outcome(path, entry=Entry(done.sha256, done.origin, done.destination))
    return _Outcome(path, entry=Entry(done.sha256, done.destination, done.origin))


def _batches(tasks: list[_Task]) -> Iterator[list[_Task]]:
    remaining = iter(tasks)
    while batch := list(islice(remaining, _BATCH)):
        yield batch
