"""Synthesises the application and tells what was written. The only module that needs both CDK and the disk."""

import json
from pathlib import Path

import aws_cdk as cdk
import cdk_nag

from crossfade.infra.app import build
from crossfade.infra.assembly import Stack
from crossfade.infra.attached import Attached
from crossfade.infra.errors import ReviewFailed
from crossfade.infra.findings import findings
from crossfade.model.file import MigrationFile


def write(file: MigrationFile, folder: Path, *, review: bool, attached: Attached) -> tuple[Stack, ...]:
    """The stacks, in an order in which they can be deployed. Raises ReviewFailed, or RuntimeError for CDK's faults."""
    app = build(file, outdir=str(folder), attached=attached)
    if review:
        add_packs(app)
    try:
        assembly = app.synth()
    except RuntimeError as refusal:  # jsii raises every error of CDK as one
        if found := findings(Path(app.outdir)):
            raise ReviewFailed(found) from refusal
        raise
    if review and (found := findings(folder)):
        raise ReviewFailed(found)
    place = Path(assembly.directory)
    return tuple(
        Stack(
            name=stack.stack_name,
            template=template,
            resources=_resources(place / template),
            needs=tuple(d.stack_name for d in stack.dependencies if isinstance(d, type(stack))),
        )
        for stack, template in ((stack, stack.template_file) for stack in assembly.stacks)
    )


def _resources(template: Path) -> int:
    return len(json.loads(template.read_text(encoding="utf-8"))["Resources"])


def add_packs(app: cdk.App) -> None:
    """Hold the application to the rules of four reviewers."""
    cdk.Validations.of(app).add_plugins(
        cdk_nag.AwsSolutionsChecks(app),
        cdk_nag.NIST80053R5Checks(app),
        cdk_nag.HIPAASecurityChecks(app),
        cdk_nag.PCIDSS321Checks(app),
    )
