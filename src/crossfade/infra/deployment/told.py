"""What the command line of the CDK says, line by line. Pure.

Source: its output with `--progress events`, version 2.1148.1; tests hold what it really says against this.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

_EVENT = re.compile(
    r"(?P<stack>\S+) +\| +(?:(?P<done>\d+)(?:/(?P<total>\d+))? +\| +)?[^|]+\| +(?P<status>[A-Z_]+) +\| +"
    r"(?P<kind>\S+) +\| +(?P<place>\S+)(?: \((?P<identity>\w+)\))? ?(?P<reason>.*)"
)
_FINISHED = re.compile(r"\s*✅\s+(?P<identity>\S+)(?: \((?P<name>\S+)\))?(?P<how>.*)")
_COMPARED = re.compile(r"Stack (?P<identity>\S+)(?: \((?P<name>[^)\s]+)\))?(?: \(aws://[^)]*\))?")
_NOT_OF_A_STACK = ("There were no differences", "✨", "(NOTE:")


class Outcome(StrEnum):
    """What became of a stack."""

    DEPLOYED = "deployed"
    UNCHANGED = "unchanged"
    DESTROYED = "destroyed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackEvent:
    """Something that CloudFormation did or could not do."""

    stack: str
    done: int | None
    total: int | None
    status: str
    kind: str
    place: str
    """Path within the application, or a logical id."""
    reason: str

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED") and not self.reason.startswith("Resource creation cancelled")

    @property
    def over(self) -> bool:
        return not self.status.endswith("_IN_PROGRESS")


@dataclass(slots=True, kw_only=True)
class Told:
    """All that was said so far."""

    events: list[StackEvent] = field(default_factory=list)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    """By the stack's name."""
    rest: list[str] = field(default_factory=list)
    """Lines that are no event, such as what it says of an error."""

    def hear(self, line: str) -> StackEvent | None:
        """Take in a line; returns the event if it tells of one."""
        if event := event_in(line):
            self.events.append(event)
            return event
        if done := _FINISHED.fullmatch(line):
            self.outcomes[done["name"] or done["identity"]] = _outcome(done["how"])
        elif line.strip():
            self.rest.append(line)
        return None


def event_in(line: str) -> StackEvent | None:
    """The event that a line tells of, if it does."""
    found = _EVENT.fullmatch(line.strip())
    if found is None:
        return None
    return StackEvent(
        stack=found["stack"],
        done=int(found["done"]) if found["done"] else None,
        total=int(found["total"]) if found["total"] else None,
        status=found["status"],
        kind=found["kind"],
        place=found["place"],
        reason=found["reason"].strip(),
    )


def differences(lines: list[str]) -> dict[str, list[str]]:
    """For each compared stack by name, the lines that say what differs; empty: nothing does."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines:
        if heading := _COMPARED.fullmatch(line.strip()):
            current = found.setdefault(heading["name"] or heading["identity"], [])
        elif line.strip() and not line.strip().startswith(_NOT_OF_A_STACK):
            current.append(line)
    return found


def _outcome(how: str) -> Outcome:
    if "no changes" in how:
        return Outcome.UNCHANGED
    return Outcome.DESTROYED if "destroyed" in how else Outcome.DEPLOYED
