"""A channel that only remembers."""

from crossfade.notify.errors import NotTaken
from crossfade.notify.port import Notice


class MemoryChannel:
    """`fail_next` deliveries fail before the next one is taken."""

    def __init__(self, name: str = "memory") -> None:
        self.name = name
        self.taken: list[Notice] = []
        self.fail_next = 0

    def deliver(self, notice: Notice) -> None:
        if self.fail_next > 0:
            self.fail_next -= 1
            raise NotTaken(channel=self.name, reason="told to fail")
        self.taken.append(notice)
