"""Deploy, compare and destroy stacks of an assembly by the command line of the CDK."""

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.deployment.commandline import CommandLine
from crossfade.infra.deployment.errors import DeploymentFailed, Obstacle
from crossfade.infra.deployment.failures import causes
from crossfade.infra.deployment.told import Outcome, StackEvent, Told, differences

_HANDED_ON = "ExportsOutput"
"""Outputs of these names are for other stacks, not for people."""

Hear = Callable[[StackEvent], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a deployment left behind, by the stacks' names."""

    outcomes: Mapping[str, Outcome]
    outputs: Mapping[str, Mapping[str, str]]


def deploy(line: CommandLine, assembly: Assembly, stacks: tuple[Stack, ...], hear: Hear) -> Deployed:
    """Bring about that the stacks stand as their templates say. Raises DeploymentFailed."""
    told = Told()
    with tempfile.TemporaryDirectory(prefix="crossfade-deploy-") as place:
        outputs = Path(place) / "outputs.json"
        options = ("--require-approval", "never", "--progress", "events", "--outputs-file", str(outputs))
        _run(line, _said("deploy", stacks, *options), assembly, told, hear)
        return Deployed(outcomes=dict(told.outcomes), outputs=_outputs(outputs, stacks))


def compare(line: CommandLine, assembly: Assembly, stacks: tuple[Stack, ...]) -> dict[str, list[str]]:
    """For each stack, the lines that say what a deployment would change; empty: nothing. Raises DeploymentFailed.

    Changes nothing, and makes no change set.
    """
    told = Told()
    _run(line, _said("diff", stacks, "--method", "template"), assembly, told, lambda _: None)
    found = differences(told.rest)
    if missing := [stack.name for stack in stacks if stack.name not in found]:
        raise DeploymentFailed("diff", (Obstacle(problem=f"nothing was said of {', '.join(missing)}", remedy=""),))
    return found


def destroy(line: CommandLine, assembly: Assembly, stacks: tuple[Stack, ...], hear: Hear) -> Mapping[str, Outcome]:
    """Bring about that none of the stacks is there, in the right order. Raises DeploymentFailed."""
    told = Told()
    _run(line, _said("destroy", stacks, "--force"), assembly, told, hear)
    return dict(told.outcomes)


def _run(line: CommandLine, said: Sequence[str], assembly: Assembly, told: Told, hear: Hear) -> None:
    def listen(text: str) -> None:
        if event := told.hear(text):
            hear(event)

    if line.run(said, assembly.folder.resolve(), listen) != 0:
        raise DeploymentFailed(said[0], causes(told))


def _said(verb: str, stacks: tuple[Stack, ...], *options: str) -> list[str]:
    """The stacks are named one by one: which go together has been decided before."""
    return [verb, *(stack.kind for stack in stacks), "--exclusively", *options]


def _outputs(place: Path, stacks: tuple[Stack, ...]) -> dict[str, dict[str, str]]:
    """Without a change there is no such file."""
    if not place.is_file():
        return {}
    found: dict[str, dict[str, str]] = json.loads(place.read_text(encoding="utf-8"))
    names = {stack.kind: stack.name for stack in stacks}
    return {
        names.get(stack, stack): {k: v for k, v in outputs.items() if not k.startswith(_HANDED_ON)}
        for stack, outputs in found.items()
    }
