"""The folder of one twin on the target: a release and settings that are a legacy server's, translated.

`release` is a link to the folder that holds the files, so that a new release replaces the old one at once and whole;
`manifest.json` is written last: beside it there is always something complete to launch.
"""

import hashlib
import json
import shutil
from pathlib import Path

from crossfade.durable import replace, settle
from crossfade.servers.errors import CopyFailed, LegacyUnfit, ServerFault
from crossfade.servers.release import copy_release, holds, read_release
from crossfade.servers.twin import Twin, translate


class Replica:
    """One twin's folder, and the legacy server's from which it is made."""

    def __init__(self, twin: Twin, source_servers: Path, target_servers: Path) -> None:
        self.twin = twin
        self.folder = target_servers / twin.name
        self._source = source_servers / twin.legacy

    @property
    def complete(self) -> bool:
        """A replica stands here. Cheap: contents are compared by `in_step`."""
        return (self.folder / "manifest.json").is_file()

    def in_step(self) -> bool:
        """The replica is what the legacy server holds now, compared by content. Raises `LegacyUnfit`."""
        settings = self._settings()
        try:
            same = (self.folder / "settings.json").read_bytes() == settings
        except OSError:
            same = False
        manifest = read_release(self.twin.legacy, self._source / "release")
        return self.complete and same and holds(self.folder / "release", manifest)

    def synchronise(self) -> None:
        """Bring the replica in step. Interrupted anywhere, the next call goes on from what is already there.

        Raises `LegacyUnfit`, `ReleaseUnsettled`, `CopyFailed`.
        """
        settings = self._settings()
        release = copy_release(self.twin.legacy, self._source / "release", self.folder / "releases")
        try:
            self._point_to(release)
            replace(self.folder / "settings.json", settings)
            replace(self.folder / "manifest.json", self._manifest(release, settings))
            self._forget_all_but(release)
        except OSError as refused:
            reason = refused.strerror or str(refused)
            raise CopyFailed(server=self.twin.legacy, place=self.folder, reason=reason) from refused

    def remove(self) -> None:
        """Nothing of the replica is left. Raises `CopyFailed` when the operating system refuses."""
        try:
            (self.folder / "manifest.json").unlink(missing_ok=True)  # first, so that a half-removed one is none
            if self.folder.exists():
                shutil.rmtree(self.folder)
                settle(self.folder.parent)
        except OSError as refused:
            reason = refused.strerror or str(refused)
            raise CopyFailed(server=self.twin.legacy, place=self.folder, reason=reason) from refused

    def forget_source(self) -> None:
        """What only replication needed (earlier and unfinished copies) is gone; the replica itself stays."""
        self._forget_all_but((self.folder / "release").resolve())

    def _settings(self) -> bytes:
        place = self._source / "settings.json"
        try:
            legacy = place.read_bytes()
        except OSError as refused:
            fault = ServerFault(
                server=self.twin.legacy,
                place=str(place),
                problem=f"cannot be read ({refused.strerror})",
                remedy="Put the server's settings there, readable by whoever runs the migration.",
            )
            raise LegacyUnfit([fault]) from refused
        return translate(legacy, self.twin)

    def _manifest(self, release: Path, settings: bytes) -> bytes:
        files = read_release(self.twin.name, release).files
        document = {
            "version": 1,
            "legacy": self.twin.legacy,
            "release": {file.path: file.sha256 for file in files},
            "settings": hashlib.sha256(settings).hexdigest(),
        }
        return json.dumps(document, indent=2).encode() + b"\n"

    def _point_to(self, release: Path) -> None:
        draft = self.folder / ".release.draft"
        draft.unlink(missing_ok=True)
        draft.symlink_to(release.relative_to(self.folder), target_is_directory=True)
        draft.replace(self.folder / "release")
        settle(self.folder)

    def _forget_all_but(self, release: Path) -> None:
        for folder in (self.folder / "releases").iterdir():
            if folder.name != release.name:
                shutil.rmtree(folder)
