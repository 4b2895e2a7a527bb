"""What can go wrong when files for the data center are written."""

from pathlib import Path

from crossfade.model.errors import CrossfadeError


class DocumentsDiffer(CrossfadeError):
    """Files are there already and say something else: perhaps somebody has filled them in."""

    remedy = "Name a new folder with --out and compare the two, or write over them with --replace."

    def __init__(self, folder: Path, paths: tuple[str, ...]) -> None:
        self.folder, self.paths = folder, paths
        super().__init__(f"{folder} has other versions of these files, and none is written over: {', '.join(paths)}")


class FolderRefused(CrossfadeError):
    """The system refused to write there."""

    remedy = "Make room, change the rights of the folder, or name another with --out."

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"{folder} cannot be written: {reason}")
