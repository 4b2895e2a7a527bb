"""The program `crossfade`: what a person can cause ends with a message and an exit code, never with a traceback."""

import sys


def run() -> None:
    """A failure that a person can do something about ends with 1; Ctrl-C with 130, whenever it comes."""
    try:
        _run()
    except KeyboardInterrupt:
        sys.exit(130)


def _run() -> None:
    # loading it all takes a second, in which somebody may have noticed a slip and pressed Ctrl-C
    from crossfade.cli.commands import application  # noqa: PLC0415
    from crossfade.cli.output import Exit, SystemRefused, complain  # noqa: PLC0415
    from crossfade.model.errors import CrossfadeError  # noqa: PLC0415

    try:
        application(sys.argv[1] if len(sys.argv) > 1 else None)()
    except CrossfadeError as failure:
        complain(failure)
        sys.exit(Exit.FAILED)
    except OSError as refusal:
        complain(SystemRefused(refusal))
        sys.exit(Exit.FAILED)


if __name__ == "__main__":
    run()
