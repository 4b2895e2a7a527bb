"""`python -m crossfade.shadowing SETTINGS`: collects until SIGTERM."""

import asyncio
import sys
from pathlib import Path

import uvloop
from pydantic import ValidationError

from crossfade.model.errors import CrossfadeError
from crossfade.shadow import Masker
from crossfade.shadowing.masks import mask_key
from crossfade.shadowing.serving import serve
from crossfade.shadowing.settings import read_settings


def main() -> int:
    if len(sys.argv) != 2:
        return _ended("give the file with the settings", 2)
    try:
        settings = read_settings(Path(sys.argv[1]))
        masker = Masker(key=mask_key(settings.mask_key))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, masker))
    except ValidationError as faulty:
        faults = faulty.errors(include_input=False, include_url=False)
        return _ended("; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults), 2)
    except CrossfadeError as unusable:
        return _ended(f"{unusable}. {unusable.remedy}", 2)
    except OSError as refused:
        return _ended(f"a file or port: {refused.strerror}", 1)
    return 0


def _ended(why: str, code: int) -> int:
    print(f"the collector of shadow answers ended: {why}", file=sys.stderr)  # noqa: T201 - its log
    return code


if __name__ == "__main__":
    sys.exit(main())
