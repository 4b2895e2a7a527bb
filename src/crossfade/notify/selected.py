"""A channel that is told of some topics only."""

from collections.abc import Iterable

from crossfade.notify.port import Channel, Notice, Topic


class SelectedTopics:
    """Passes on what `topics` name; the rest counts as delivered, so that the cursor goes on."""

    def __init__(self, channel: Channel, topics: Iterable[Topic]) -> None:
        self.name = channel.name
        self._channel, self._topics = channel, frozenset(topics)

    def deliver(self, notice: Notice) -> None:
        if notice.topic in self._topics:
            self._channel.deliver(notice)
