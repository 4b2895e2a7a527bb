"""A process that works on a shared manifest: tells the number of each chunk that it has done, then what it found."""

import json
import sys
from datetime import timedelta
from pathlib import Path

from crossfade.verify.examination import How, examine
from crossfade.verify.manifest import Job, Outcome
from crossfade.verify.settings import VerifySettings
from crossfade.verify.shared_manifest import SqliteManifest


def tell(line: object) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


class Telling(SqliteManifest):
    def done(self, job: Job, outcome: Outcome) -> None:
        super().done(job, outcome)
        tell({"chunk": job.number})


def main(source: str, target: str, path: str, pause: str) -> None:
    settings = VerifySettings(
        source=source, target=target, rest_chunk_rows=100, pause=timedelta(seconds=float(pause)), workers=2
    )
    found = examine(settings, How(manifest=lambda fingerprint: Telling(Path(path), fingerprint))).verification
    tell({"rows": found.rows, "keys": [difference.key for difference in found.differences]})


if __name__ == "__main__":
    main(*sys.argv[1:])
