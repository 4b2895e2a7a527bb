"""The command line with all its commands."""

from crossfade.cli.commands import application

app = application()
