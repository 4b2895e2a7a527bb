"""`python -m release settings.json`: run one server."""

import argparse
import sys
from pathlib import Path

from .application import Kind
from .faults import SharedFaults
from .server import serve
from .settings import SettingsFaulty, read_settings


def main() -> int:
    parser = argparse.ArgumentParser(description="One server of the ledger.")
    parser.add_argument("settings", type=Path, help="the server's settings.json")
    parser.add_argument("--port", type=int, help="listen here instead of at the port of the settings")
    parser.add_argument("--kind", type=Kind, choices=list(Kind), default=Kind.PRODUCTION)
    parser.add_argument("--faults", type=Path, help="file of shared memory with the faults to show")
    given = parser.parse_args()
    try:
        settings = read_settings(given.settings)
        if given.port is not None:
            settings = settings.model_copy(update={"port": given.port})
        serve(settings, given.kind, None if given.faults is None else SharedFaults(given.faults))
    except SettingsFaulty as exc:
        print(exc, file=sys.stderr)  # noqa: T201 - this is a program
        return 2
    except OSError as exc:
        print(f"port {settings.port}: {exc.strerror}", file=sys.stderr)  # noqa: T201 - this is a program
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
