"""Which view a person gets: a picture on a terminal, lines elsewhere."""

import sys

from rich.console import Console

from crossfade.cli.live import LiveView, fits
from crossfade.cli.plain import PlainView, View


def view() -> View:
    console = Console(stderr=True)
    return LiveView(console) if fits(console) else PlainView(sys.stderr)
