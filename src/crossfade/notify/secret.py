"""Secrets by reference: the migration file names an environment variable, never the secret itself."""

import os

from crossfade.notify.errors import ChannelUnfit


def read_secret(channel: str, variable: str) -> str:
    """The variable's value. Raises `ChannelUnfit` when it is not set or empty."""
    value = os.environ.get(variable, "")
    if not value:
        raise ChannelUnfit(channel=channel, problem=f"the environment variable {variable} is not set")
    return value


def is_loopback(host: str) -> bool:
    """What goes there does not leave this computer, so it may go unencrypted."""
    return host in {"127.0.0.1", "::1", "localhost"}
