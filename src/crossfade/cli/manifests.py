"""`crossfade manifests`: the migration on Kubernetes, as manifests for Argo Rollouts."""

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from crossfade.cli.migration_file import complain_of, place_of, sound
from crossfade.cli.output import Exit, answer, people
from crossfade.infra.kubernetes.demands import demands, notes
from crossfade.infra.kubernetes.manifests import manifests as manifests_of
from crossfade.infra.premises.folder import write
from crossfade.model.file import MigrationFile


def manifests(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The migration file.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the manifests.")] = Path("manifests"),
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that say something else.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object as the last line of stdout.")] = False,
) -> None:
    """Write manifests for Argo Rollouts: canary or blue-green, its analyses, services, routing, and what keeps pods up.

    Asks nobody: neither a cluster nor Prometheus. `kubectl apply --kustomize DIR` takes them. No secret stands in them.
    Exit code 1: files are there that say something else, or the system refused; 2: the file is faulty, or lacks what
    manifests cannot do without.

    Example: crossfade manifests examples/kubernetes/migration.yaml --out manifests
    """
    migration = sound(file)
    _demand(migration, file)
    found = manifests_of(migration)
    write(out, found, replacing=replace)
    told = notes(migration)
    for note in told:
        people.print(Text.assemble(("! ", "yellow"), note), soft_wrap=True)
    for document in found:
        people.print(Text(f"  {document.path}"), soft_wrap=True)
    people.print(Text.assemble(("✓ ", "green"), f"{out}: {len(found)} files"), soft_wrap=True)
    if json:
        answer({"out": str(out), "files": [document.path for document in found], "notes": list(told)})


def _demand(migration: MigrationFile, path: Path) -> None:
    missing = tuple(sorted(place_of(path, one.path, one.problem, one.remedy) for one in demands(migration)))
    if missing:
        complain_of(missing, path)
        raise typer.Exit(Exit.BAD_INPUT)
