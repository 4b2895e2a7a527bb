"""What every channel promises, in memory or with a real receiver."""

import io
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from crossfade.model.errors import CrossfadeError
from crossfade.notify.mail import MailChannel, MailServer
from crossfade.notify.memory import MemoryChannel
from crossfade.notify.port import Channel
from crossfade.notify.terminal import TerminalChannel
from crossfade.notify.webhook import WebhookChannel
from tests.notify.receivers import mailbox, notice, webhook


@dataclass
class Line:
    """A channel, what its receiver has taken as text, and how to make it refuse the next notice."""

    channel: Channel
    taken: Callable[[], list[str]]
    refuse_next: Callable[[], object]


class Terminal(io.StringIO):
    refuse = False

    def write(self, text: str) -> int:
        if self.refuse:
            self.refuse = False
            raise BrokenPipeError
        return super().write(text)

    def refuse_next(self) -> None:
        self.refuse = True


@pytest.fixture(params=["memory", "terminal", "webhook", "mail"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    with ExitStack() as ending:
        yield _line(request.param, ending)


def _line(kind: str, ending: ExitStack) -> Line:
    if kind == "memory":
        memory = MemoryChannel()
        return Line(memory, lambda: [each.title for each in memory.taken], lambda: setattr(memory, "fail_next", 1))
    if kind == "terminal":
        terminal = Terminal()
        return Line(TerminalChannel(terminal), lambda: [terminal.getvalue()], terminal.refuse_next)
    if kind == "webhook":
        hook = ending.enter_context(webhook())
        channel = ending.enter_context(WebhookChannel("ops", hook.url))
        return Line(channel, lambda: [str(each["title"]) for each in hook.taken], lambda: hook.answers.append(503))
    box = ending.enter_context(mailbox())
    server = MailServer(host="127.0.0.1", port=box.port, starttls=False)
    mail = MailChannel("mail", server, sender="crossfade@example.org", recipients=["ops@example.org"])
    return Line(
        mail,
        lambda: [str(message["Subject"]) for message in box.messages],
        lambda: box.answers.append("451 try again"),
    )


def test_the_receiver_has_the_title_when_delivered(line: Line) -> None:
    line.channel.deliver(notice(title="cutover begins"))
    assert any("cutover begins" in taken for taken in line.taken())


def test_the_error_is_retryable_and_names_the_channel_when_not_taken(line: Line) -> None:
    line.refuse_next()
    with pytest.raises(CrossfadeError) as refused:
        line.channel.deliver(notice(title="cutover begins"))
    assert refused.value.retryable
    assert refused.value.remedy
    assert line.channel.name in str(refused.value)
    assert not any("cutover begins" in taken for taken in line.taken())
    line.channel.deliver(notice(title="cutover begins"))
    assert any("cutover begins" in taken for taken in line.taken())
