"""How long copying and each phase of the runbook take, over all trials at once. Seconds; infinity: it never ends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from crossfade.model import ends
from crossfade.model.terms import Phase
from crossfade.planning.schedule import assumed
from crossfade.planning.schedule.amounts import Amounts, Terms
from crossfade.planning.schedule.assumed import Floats
from crossfade.planning.schedule.records import Estimate
from crossfade.runbook.phases import Await, Gate, Step, rungs, steps_forward

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Trials:
    """All trials under one set of terms. `drawn` has the values of each assumption by its name."""

    terms: Terms
    drawn: Mapping[str, Floats]

    @property
    def _nothing(self) -> Floats:
        return np.zeros_like(self.drawn[assumed.GROWTH])

    def goodput(self) -> Floats:
        """Bytes a second that the link carries of what is copied."""
        bits = self.terms.link_bits_s * self.drawn[assumed.LINK_SHARE] * self.drawn[assumed.LINK_PAYLOAD]
        return bits / 8

    def sizes(self, amounts: Amounts) -> tuple[Floats, Floats, Floats]:
        """Bytes of tables, of files, of servers' disks that cross the link, as they are when they are copied."""
        drawn = self.drawn
        servers = (
            amounts.used_bytes
            + amounts.capacity_bytes * drawn[assumed.FILLED]
            + amounts.unsized_servers * drawn[assumed.UNSIZED]
        )
        growth = drawn[assumed.GROWTH]
        tables = amounts.database_bytes * drawn[assumed.TABLES]
        return tables * growth, amounts.files_bytes * growth, servers * growth

    def changes(self, amounts: Amounts) -> Floats:
        """Bytes a second that change meanwhile and have to cross as well."""
        drawn = self.drawn
        unmeasured = amounts.unmeasured_bytes + amounts.unsized_servers * drawn[assumed.UNSIZED]
        return amounts.changes_bytes_s * drawn[assumed.RESENT] + unmeasured * drawn[assumed.CHANGE] / _DAY

    def copying(self, amounts: Amounts, standing: Floats | None = None) -> Floats:
        """Until everything is copied and caught up with. `standing`: changes of other waves that cross meanwhile.

        All kinds are copied side by side: the link bounds their sum, and each has a bound of its own. What changes
        while it is copied, or while indexes are built, crosses as well.
        """
        tables, files, servers = self.sizes(amounts)
        own = self.changes(amounts)
        left = self.goodput() - own - (self._nothing if standing is None else standing)
        bounds = [_over(tables + files + servers, left)]
        bounds.append(tables / (self.terms.copy_workers * self.drawn[assumed.READING]))
        if self.terms.files_bits_s is not None:
            bounds.append(files / (self.terms.files_bits_s / 8))
        if self.terms.server_bits_s is not None and amounts.servers:
            bounds.append(servers / (amounts.servers * self.terms.server_bits_s / 8))
        indexes = tables / self.drawn[assumed.INDEXING]
        longest: Floats = np.maximum.reduce(bounds) + indexes + _over(own * indexes, left)
        return longest

    def phase(self, phase: Phase, amounts: Amounts) -> Floats:
        """A phase without its copying: what its steps take, one after the other."""
        if phase is Phase.PREPARE:
            return self.drawn[assumed.PREPARING] + self.drawn[assumed.CHECKS]
        epoch = 1 if phase in {Phase.BAKE, Phase.FINALIZE} else 0
        steps = steps_forward(self.terms.runbook, phase, epoch)
        return sum((self._step(step, amounts) for step in steps), self._nothing)

    def _step(self, step: Step, amounts: Amounts) -> Floats:
        if isinstance(step, Await):
            return _GATES[step.gate](self, step, amounts)
        if isinstance(step.end, ends.DataVerified):
            return amounts.database_bytes * self.drawn[assumed.GROWTH] / self.drawn[assumed.VERIFYING]
        name = _ENDS.get(type(step.end))
        return self.drawn[name] if name else self._nothing

    def waited(self, wait: timedelta) -> Floats:
        return self._nothing + wait.total_seconds()

    def evidence(self, wait: timedelta) -> Floats:
        return wait.total_seconds() * self.drawn[assumed.EVIDENCE]

    def approval(self) -> Floats:
        return self.drawn[assumed.PEOPLE]

    def warm(self, amounts: Amounts) -> Floats:
        """What is left of keeping the old side warm when the bake is over: it counts from when everybody had moved."""
        runbook = self.terms.runbook
        since = self.evidence(rungs(runbook)[-1].bake) + self.phase(Phase.CUTOVER, amounts) + self.waited(runbook.bake)
        left: Floats = np.maximum(self.waited(runbook.keep_warm) - since, 0)
        return left

    def files_home(self, amounts: Amounts) -> Floats:
        """The last files after the cutover: those of one round, at most what changes in a quarter of an hour."""
        changed = amounts.files_bytes * self.drawn[assumed.CHANGE] / 96
        return changed / self.goodput()


def estimate(seconds: Floats) -> Estimate:
    """The values at half and nine tenths of the trials, in whole seconds upwards; those that never end count last."""
    ordered = np.sort(seconds)
    return Estimate(p50=_at(ordered, 0.5), p90=_at(ordered, 0.9))


def _at(ordered: Floats, part: float) -> timedelta | None:
    value = float(ordered[int(np.ceil(part * len(ordered))) - 1])
    return timedelta(seconds=int(np.ceil(value))) if np.isfinite(value) else None


def _over(amount: Floats, rate: Floats) -> Floats:
    """The time for `amount` at `rate`; nothing takes no time, and without a rate nothing ever ends."""
    rated = np.where(rate > 0, rate, 1.0)
    never = np.where(amount > 0, np.inf, 0.0)
    found: Floats = np.where(rate > 0, amount / rated, never)
    return found


_ENDS: Mapping[type[ends.End], str] = {
    ends.ChecksPassed: assumed.CHECKS,
    ends.TestInstancesRunning: assumed.LAUNCH,
    ends.CutoverInstancesRunning: assumed.LAUNCH,
    ends.WriterIs: assumed.SWITCH,
}
"""Ends that take time to reach. All others are commands that are answered in seconds."""

_Told = Callable[[Trials, Await, Amounts], Floats]


def _at_once(trials: Trials, _: Await, __: Amounts) -> Floats:
    return trials.waited(timedelta(0))


_GATES: Mapping[Gate, _Told] = {
    Gate.APPROVED: lambda trials, _, __: trials.approval(),
    Gate.FULL_LOAD_DONE: _at_once,  # these four are copying
    Gate.CAUGHT_UP: _at_once,
    Gate.SERVERS_READY: _at_once,
    Gate.FILES_IN_STEP: lambda trials, _, amounts: trials.files_home(amounts),
    Gate.ANSWERS_AGREE: lambda trials, _, __: trials.evidence(trials.terms.runbook.shadow.duration),
    Gate.JUDGED: lambda trials, step, __: trials.evidence(rungs(trials.terms.runbook)[step.rung].bake),
    Gate.DRAINED: _at_once,
    Gate.BAKED: lambda trials, _, __: trials.waited(trials.terms.runbook.bake),
    Gate.WAY_BACK_ALIVE: _at_once,
    Gate.LINK_BACKED: _at_once,
    Gate.PREVIEWED: lambda trials, _, __: trials.waited(trials.terms.runbook.preview or timedelta(0)),
    Gate.KEPT_WARM: lambda trials, _, amounts: trials.warm(amounts),
}
