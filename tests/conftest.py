"""Programs are started here as a terminal would start them, also when the tests themselves run under nohup."""

import signal

from hypothesis import HealthCheck, settings

# No test is about how long an example takes: a busy computer is slow, also in drawing them. And the same are drawn each
# time, or a change would be refused for what another has done. `--hypothesis-profile=anew` looks for others.
_AT_ANY_SPEED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("the same", _AT_ANY_SPEED, derandomize=True)
settings.register_profile("anew", _AT_ANY_SPEED, derandomize=False)
settings.load_profile("the same")


def pytest_configure() -> None:
    """What is ignored when a program starts stays ignored in it and in all that it starts: hear it again."""
    for by, heard in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(by) is signal.SIG_IGN:
            signal.signal(by, heard)
