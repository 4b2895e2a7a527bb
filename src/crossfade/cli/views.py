"""Which view a person gets: a picture on a terminal, lines elsewhere."""

import sys

from crossfade.cli.live import LiveView
from crossfade.cli.plain import PlainView, View


def view() -> View:
    return LiveView() if sys.stderr.isatty() else PlainView(sys.stderr)
