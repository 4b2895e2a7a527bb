"""What happens beside the live calls of an experiment: comparing, counting, publishing."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeAlias

from crossfade.facade.guard import ShadowCall
from crossfade.facade.observation import Masking, Observation
from crossfade.facade.outcome import Finding, Raised, Returned, compared
from crossfade.facade.rollout import Mode
from crossfade.facade.settings import Terms
from crossfade.facade.workers import Workers

Outcome: TypeAlias = Returned[Any] | Raised
Publish: TypeAlias = Callable[[Observation], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One live call, once it has its answer: for whom, and what either side did (None: not asked, or not ended)."""

    mode: Mode
    user: str | None
    control: Outcome | None = None
    candidate: Outcome | None = None


class Reporting:
    """Counts at once; masks and publishes in a thread of `tellers`, so that a receiver that hangs keeps nobody else.

    None of its methods raises or waits.
    """

    def __init__(
        self, experiment: str, terms: Terms[Any], tellers: Workers, masking: Masking, publish: Publish | None
    ) -> None:
        self._experiment, self._terms, self._tellers = experiment, terms, tellers
        self._masking, self._publish = masking, publish
        self._counts: Counter[Finding] = Counter()
        self._lock = threading.Lock()

    @property
    def counts(self) -> Mapping[Finding, int]:
        """How often each finding was made since the start; those that never were are missing."""
        with self._lock:
            return dict(self._counts)

    def count(self, finding: Finding) -> None:
        with self._lock:
            self._counts[finding] += 1

    def report(self, finding: Finding, call: Call, refused: tuple[str, ...] = ()) -> None:
        """All that costs time is left to a thread."""
        self.count(finding)
        if self._publish is None:
            return
        if not self._tellers.submit(partial(self._tell, self._publish, finding, call, refused)):
            self.count(Finding.UNPUBLISHED)

    def conclude(self, shadow: ShadowCall, call: Call) -> None:
        """Compare both sides of a shadow that has ended, and report. Not for live calls: comparing takes its time."""
        refused = tuple(shadow.refused)
        if refused:
            finding = Finding.REFUSED
        elif call.control is None or call.candidate is None:
            finding = Finding.TIMED_OUT
        else:
            finding = compared(call.control, call.candidate, self._terms.same, self._terms.same_error)
        self.report(finding, call, refused)

    def _tell(self, publish: Publish, finding: Finding, call: Call, refused: tuple[str, ...]) -> None:
        try:
            publish(
                Observation(
                    experiment=self._experiment,
                    mode=call.mode,
                    finding=finding,
                    at=datetime.now(UTC),
                    user=self._masking.user(call.user),
                    control=self._masking.answer(call.control, self._terms.mask),
                    candidate=self._masking.answer(call.candidate, self._terms.mask),
                    refused=refused,
                )
            )
        except Exception:  # noqa: BLE001 - whoever receives it may fail in any way; the live calls shall not know
            self.count(Finding.UNPUBLISHED)
