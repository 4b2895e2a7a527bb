"""Checks without anything to check."""

from crossfade.model.seen import CheckResult
from crossfade.model.terms import Suite


class InMemoryChecks:
    """Each suite has one check on each subject of `subjects`; those in `broken` do not pass. `asked`: what was run."""

    def __init__(self, subjects: tuple[str, ...] = ("web-1",)) -> None:
        self.broken: set[tuple[Suite, str]] = set()
        self.asked: list[Suite] = []
        self._subjects = subjects

    def run(self, suite: Suite) -> tuple[CheckResult, ...]:
        self.asked.append(suite)
        return tuple(self._check(suite, subject) for subject in self._subjects)

    def _check(self, suite: Suite, subject: str) -> CheckResult:
        passed = (suite, subject) not in self.broken
        return CheckResult(
            name="instance health", subject=subject, passed=passed, detail="" if passed else "status 503"
        )
