"""From a migration file to a folder of templates. Nothing is asked of AWS, of git or of the network."""

import importlib
import os
import shutil
import time
from pathlib import Path

from crossfade.infra.assembly import Assembly
from crossfade.infra.attached import Attached
from crossfade.infra.errors import ExtraMissing, NodeMissing, OutputOccupied, SynthesisFailed
from crossfade.infra.reduction import reduced
from crossfade.model.file import MigrationFile

_NEEDED = ("aws_cdk", "constructs", "cdk_nag")
_QUIET = {"JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20", "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1"}
"""Node 20 works (facts of the pinned versions), and its end of life is no news to who only wants templates."""


def synthesise(
    file: MigrationFile,
    folder: Path,
    *,
    review: bool = False,
    attached: Attached | None = None,
    without: tuple[str, ...] = (),
) -> Assembly:
    """Write the templates of `file` to `folder`, or to CDK_OUTDIR where the CDK command line has set it.

    `review` also holds them to the packs of cdk-nag; `attached` is what the file keeps beside itself; resources of the
    types `without` are split off, and told in the answer.
    Raises ExtraMissing, NodeMissing, OutputOccupied, ReviewFailed, SynthesisFailed or TypeNotThere.
    """
    load_libraries()
    asked = os.environ.get("CDK_OUTDIR")  # the CDK command line's own folder; naming another would break it
    place = Path(asked) if asked else folder
    _refuse_foreign(place)
    began = time.monotonic()
    from crossfade.infra.written import write  # noqa: PLC0415  # needs the optional extra

    try:
        stacks = write(file, place, review=review, attached=attached or Attached())
    except RuntimeError as refusal:  # jsii raises every error of the CDK as one of these
        raise SynthesisFailed(str(refusal).split("\n", 1)[0]) from refusal
    assembly = Assembly(folder=place, stacks=stacks, seconds=time.monotonic() - began)
    return reduced(assembly, without) if without else assembly


def load_libraries() -> None:
    """Load what the optional extra brings; it takes some seconds. Raises ExtraMissing or NodeMissing."""
    if shutil.which(os.environ.get("JSII_NODE", "node")) is None:
        raise NodeMissing
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    for module in _NEEDED:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as missing:
            raise ExtraMissing(missing.name or module) from missing
    importlib.import_module("crossfade.infra.written")  # with it, the parts of the library that the stacks use


def _refuse_foreign(folder: Path) -> None:
    occupied = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if occupied and not (folder / "cdk.out").is_file():
        raise OutputOccupied(folder)
