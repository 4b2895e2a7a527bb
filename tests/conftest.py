"""Programs are started here as a terminal would start them, also when the tests themselves run under nohup."""

import signal

from hypothesis import settings

# A busy computer is slow, and no test is about how long an example takes.
settings.register_profile("without a deadline", deadline=None)
settings.load_profile("without a deadline")


def pytest_configure() -> None:
    """What is ignored when a program starts stays ignored in it and in all that it starts: hear it again."""
    for by, heard in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(by) is signal.SIG_IGN:
            signal.signal(by, heard)
