"""A process that works on a shared manifest: tells the number of each chunk that it has done, then what it found.

After so many chunks it waits, with its next ones in hand, until a file comes about.
"""

import json
import sys
from pathlib import Path
from threading import Lock

from crossfade.verify.examination import How, examine
from crossfade.verify.manifest import Job, Outcome
from crossfade.verify.settings import VerifySettings
from crossfade.verify.shared_manifest import SqliteManifest
from tests.waiting import wait_for


def tell(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Telling(SqliteManifest):
    def __init__(self, path: Path, fingerprint: str, chunks: int, go_on: Path) -> None:
        super().__init__(path, fingerprint)
        self._left, self._go_on, self._telling = chunks, go_on, Lock()

    def done(self, job: Job, outcome: Outcome) -> None:
        with self._telling:
            if self._left == 0:
                wait_for(self._go_on.exists)
            self._left -= 1
            super().done(job, outcome)
            tell({"chunk": job.number})


def main(source: str, target: str, path: str, chunks: str, go_on: str) -> None:
    settings = VerifySettings(source=source, target=target, rest_chunk_rows=100, workers=2)
    found = examine(
        settings, How(manifest=lambda fingerprint: Telling(Path(path), fingerprint, int(chunks), Path(go_on)))
    ).verification
    tell({"rows": found.rows, "keys": [difference.key for difference in found.differences]})


if __name__ == "__main__":
    main(*sys.argv[1:])
