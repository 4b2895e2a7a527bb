"""`crossfade diff`: what a deployment would change."""

import typer
from rich.text import Text

from crossfade.cli.deployment import OUT, AsJson, File, Only, Out, pick, require
from crossfade.cli.output import Exit, answer, people
from crossfade.cli.synth import Without, left_out, templates
from crossfade.infra.deployment.actions import compare
from crossfade.infra.deployment.commandline import command_line
from crossfade.infra.deployment.connection import connect
from crossfade.infra.deployment.readiness import ready_to_compare


def diff(
    file: File,
    only: Only = None,
    without: Without = None,
    out: Out = OUT,
    json: AsJson = False,
) -> None:
    """Tell what `crossfade deploy` would change on AWS. Changes nothing.

    Exit code 0: nothing would change; 10: something would.

    Example: crossfade diff examples/ledger/migration.yaml
    """
    migration, assembly, _ = templates(file, out, without=without)
    stacks = pick(assembly, only)
    region = migration.environment.region
    line = command_line(region)
    with people.status("looking at the account …"):
        readiness = ready_to_compare(migration, assembly, stacks, connect(region))
    require(readiness, region)
    with people.status("comparing …"):
        found = compare(line, assembly, stacks)
    for stack in stacks:
        if lines := found[stack.name]:
            people.print(Text(stack.name, style="bold"), soft_wrap=True)
            for told in lines:
                people.print(Text(f"  {told}"), soft_wrap=True)
    differing = [stack.name for stack in stacks if found[stack.name]]
    verdict = f"{len(differing)} of {len(stacks)} stacks differ" if differing else "nothing differs"
    people.print(Text(verdict), soft_wrap=True)
    if json:
        answer(
            {
                "account": readiness.identity.account,
                "region": region,
                "stacks": [
                    {"name": s.name, "deployed": s.name in readiness.deployed, "differences": found[s.name]}
                    for s in stacks
                ],
                "left_out": left_out(assembly),
                "differing": len(differing),
            }
        )
    if differing:
        raise typer.Exit(Exit.ENDED_OTHERWISE)
