"""The command line: one file a command, registered here."""

import typer

from crossfade.cli import words
from crossfade.cli.audit import audit
from crossfade.cli.check import check
from crossfade.cli.costs import costs
from crossfade.cli.decide import decide
from crossfade.cli.deploy import deploy
from crossfade.cli.destroy import destroy
from crossfade.cli.diff import diff
from crossfade.cli.engine import engine
from crossfade.cli.faults import faults
from crossfade.cli.init import init
from crossfade.cli.inventory import inventory
from crossfade.cli.judge import judge
from crossfade.cli.manifests import manifests
from crossfade.cli.map import map_
from crossfade.cli.metrics import metrics
from crossfade.cli.on_premises import on_premises
from crossfade.cli.playbooks import playbooks
from crossfade.cli.readiness import readiness
from crossfade.cli.records import records
from crossfade.cli.rehearse import again, rehearse, resume
from crossfade.cli.risks import risks
from crossfade.cli.shadow import shadow
from crossfade.cli.simulate import simulate
from crossfade.cli.status import status, watch
from crossfade.cli.synth import synth
from crossfade.cli.verify import verify
from crossfade.cli.waves import waves

app = typer.Typer(
    help="Move a live system from your data center to AWS, and back if you must, without losing a write.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
)
for command in (init, check, rehearse, resume, again, status, watch, faults, metrics, judge, verify, audit, simulate):
    app.command()(command)
app.command()(inventory)
app.command(name="map")(map_)
for planning in (readiness, waves, decide, risks, playbooks):
    app.command()(planning)
for infrastructure in (synth, deploy, diff, destroy, costs, on_premises, manifests):
    app.command()(infrastructure)
app.add_typer(shadow, name="shadow")
app.add_typer(records, name="records")
for word in (words.approve, words.hold, words.release, words.rollback, words.override):
    app.command()(word)
app.command(hidden=True)(engine)
