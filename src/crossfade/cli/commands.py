"""Which commands there are, and where: one file a command, loaded when it is asked for.

Everything together takes a second to load. An engine that is started again within a switch is there sooner when it
loads only what it needs, and so is an answer to a person who asks for the status.
"""

from importlib import import_module

import typer

_PLACES = {
    "init": "init:init",
    "check": "check:check",
    "rehearse": "rehearse:rehearse",
    "resume": "rehearse:resume",
    "again": "rehearse:again",
    "status": "status:status",
    "watch": "status:watch",
    "faults": "faults:faults",
    "metrics": "metrics:metrics",
    "judge": "judge:judge",
    "preflight": "preflight:preflight",
    "verify": "verify:verify",
    "chunks": "chunks:chunks",
    "audit": "audit:audit",
    "simulate": "simulate:simulate",
    "inventory": "inventory:inventory",
    "map": "map:map_",
    "plan": "plan:plan",
    "readiness": "readiness:readiness",
    "waves": "waves:waves",
    "decide": "decide:decide",
    "risks": "risks:risks",
    "playbooks": "playbooks:playbooks",
    "synth": "synth:synth",
    "deploy": "deploy:deploy",
    "diff": "diff:diff",
    "destroy": "destroy:destroy",
    "costs": "costs:costs",
    "on-premises": "on_premises:on_premises",
    "manifests": "manifests:manifests",
    "approve": "words:approve",
    "hold": "words:hold",
    "release": "words:release",
    "rollback": "words:rollback",
    "override": "words:override",
    "shadow": "shadow:shadow",
    "records": "records:records",
    "schema": "schema:schema",
    "engine": "engine:engine",
}
"""By name, in the order of the help: the module in this folder, and what in it is the command or a group of them."""
_NOT_FOR_PEOPLE = {"engine"}


def application(named: str | None = None) -> typer.Typer:
    """With all commands; with the one `named` alone, where it is one."""
    app = typer.Typer(
        help="Move a live system from your data center to AWS, and back if you must, without losing a write.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        add_completion=False,
        rich_markup_mode="rich",
    )
    app.callback()(_nothing_before)
    for name in (named,) if named in _PLACES else _PLACES:
        module, _, attribute = _PLACES[name].partition(":")
        found = getattr(import_module(f"crossfade.cli.{module}"), attribute)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name=name, hidden=name in _NOT_FOR_PEOPLE)(found)
    return app


def _nothing_before() -> None:
    """A single command would be taken for the whole program otherwise."""
