"""The command line of the CDK: where it lies, and how it is run.

It is the one that the locks pin: others cannot read these templates (facts of the pinned versions; ADR 15).
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from crossfade.infra.deployment.errors import CommandLineMissing
from crossfade.infra.errors import NodeMissing

CDK_VERSION = "2.1148.1"
_PROJECT = Path(__file__).resolve().parents[4]
_PATIENCE_S = 10.0
"""For it to end after an interruption; CloudFormation does not need it any more by then."""
_QUIET = {
    "CDK_DISABLE_VERSION_CHECK": "true",
    "CDK_DISABLE_CLI_TELEMETRY": "true",
    "NODE_NO_WARNINGS": "1",
    "NO_COLOR": "1",
}
"""It asks nobody for newer versions, reports to nobody, and says nothing of versions of Node to come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    """The program and the environment that it is run in."""

    node: str
    program: Path
    environment: Mapping[str, str]

    def run(self, arguments: Sequence[str], folder: Path, hear: Callable[[str], None]) -> int:
        """Run it on the assembly in `folder`; `hear` gets each line it says. Returns its exit code.

        Interrupted, it is interrupted too and waited for; then KeyboardInterrupt goes on.
        """
        # in the assembly's folder, where no cdk.json of somebody else's can change what it does
        command = [self.node, str(self.program), *arguments, "--app", ".", "--no-notices", "--no-color"]
        with subprocess.Popen(
            command,
            cwd=folder,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        ) as process:
            try:
                for line in process.stdout or ():
                    hear(line.rstrip())
                return process.wait()
            except BaseException:
                _end(process)
                raise


def command_line(region: str) -> CommandLine:
    """The pinned one, in the project's node_modules or in those of the working folder.

    Raises NodeMissing or CommandLineMissing.
    """
    node = shutil.which(os.environ.get("JSII_NODE", "node"))
    if node is None:
        raise NodeMissing
    places = [folder / "node_modules" / "aws-cdk" for folder in (_PROJECT, Path.cwd())]
    versions = {place: _version(place) for place in places}
    here = next((place for place, version in versions.items() if version == CDK_VERSION), None)
    if here is None:
        other = next((version for version in versions.values() if version), None)
        raise CommandLineMissing(CDK_VERSION, other, places[0])
    environment = {**os.environ, **_QUIET, "AWS_REGION": region}
    return CommandLine(node=node, program=here / "bin" / "cdk", environment=environment)


def _version(package: Path) -> str | None:
    try:
        told = json.loads((package / "package.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(told.get("version")) if (package / "bin" / "cdk").is_file() else None


def _end(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
