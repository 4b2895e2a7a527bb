"""What can go wrong with files."""

from pathlib import Path

from crossfade.model.errors import CrossfadeError


class AgentSilent(CrossfadeError):
    """The file agent did not do, or not say that it did, what was asked in time."""

    retryable = True
    remedy = "See that the file agent runs and read its log; it goes on from where it was when started again."

    def __init__(self, *, asked: str, said: str) -> None:
        self.asked = asked
        self.said = said
        super().__init__(f"the file agent has not confirmed {asked}: {said}")


class TargetHoldsWrites(CrossfadeError):
    """The target's files may be the only copy of what users wrote there: they are not removed."""

    remedy = "Fail back first, so that the source is the primary again and has every file; then revert."

    def __init__(self) -> None:
        super().__init__("the target is the primary of the files")


class ShareUnusable(CrossfadeError):
    """A share is not there, is no folder, or cannot be listed."""

    retryable = True
    remedy = "Mount the share, readable and writable for whoever runs the file agent."

    def __init__(self, *, root: Path, reason: str) -> None:
        self.root = root
        self.reason = reason
        super().__init__(f"{root}: {reason}")


class OrderUnreadable(CrossfadeError):
    """The file in which the agent is told what to do, or says what it did, is not one that this version wrote."""

    remedy = "Restore it, or remove it and resume: the engine then writes it anew."

    def __init__(self, place: Path) -> None:
        self.place = place
        super().__init__(f"{place} is damaged")


class OrderNotWritten(CrossfadeError):
    """What is wanted could not be written down for the agent, which goes on with what it was told before."""

    retryable = True
    remedy = "Make room, or give the right to write there; then resume."

    def __init__(self, *, folder: Path, reason: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(f"the order for the file agent was not written to {folder}: {reason}")


class AgentRunning(CrossfadeError):
    """Another file agent works in this folder."""

    remedy = "End the other file agent, or leave the work to it."

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(f"a file agent works in {folder} already")
