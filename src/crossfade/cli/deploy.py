"""`crossfade deploy`: the AWS side of a migration, from the file to stacks that stand in the account."""

import time

from rich.text import Text

from crossfade.cli.deployment import OUT, AsJson, File, Only, Out, pick, progress, require
from crossfade.cli.output import answer, people
from crossfade.cli.synth import Without, left_out, templates
from crossfade.infra.deployment import actions
from crossfade.infra.deployment.commandline import command_line
from crossfade.infra.deployment.connection import connect
from crossfade.infra.deployment.readiness import ready_to_deploy


def deploy(
    file: File,
    only: Only = None,
    without: Without = None,
    out: Out = OUT,
    json: AsJson = False,
) -> None:
    """Bring about that everything the migration needs on AWS stands there as the file says.

    Before anything is changed it looks at credentials, account, bootstrap, stacks, secrets and quotas, and tells all
    that is missing together. What stands there already and has not changed is left alone, so that it can be done again
    at any time. With --only, the stacks that it needs come too.

    Credentials and endpoints come from the environment, as for AWS's own tools (AWS_PROFILE, AWS_ENDPOINT_URL).

    Example: crossfade deploy examples/ledger/migration.yaml
    """
    began = time.monotonic()
    migration, assembly, notes = templates(file, out, without=without)
    stacks = pick(assembly, only)
    region = migration.environment.region
    line = command_line(region)
    with people.status("looking at the account …"):
        readiness = ready_to_deploy(migration, assembly, stacks, connect(region))
    require(readiness, region)
    with progress("deploying …") as hear:
        deployed = actions.deploy(line, assembly, stacks, hear)
    seconds = time.monotonic() - began
    for stack, outputs in deployed.outputs.items():
        for name, value in outputs.items():
            people.print(Text(f"  {stack}  {name} = {value}"), soft_wrap=True)
    people.print(Text.assemble(("✓ ", "green"), f"{len(stacks)} stacks stand, after {seconds:.1f} s"), soft_wrap=True)
    if json:
        answer(
            {
                "account": readiness.identity.account,
                "region": region,
                "stacks": [
                    {
                        "name": stack.name,
                        "outcome": deployed.outcomes.get(stack.name),
                        "outputs": deployed.outputs.get(stack.name, {}),
                    }
                    for stack in stacks
                ],
                "left_out": left_out(assembly),
                "notes": [*notes, *readiness.notes],
                "seconds": round(seconds, 3),
            }
        )
