"""Whether an account is ready: everything that stands in the way, found before anything is changed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossfade.infra import wants
from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.deployment.account import Account, DeployedStack, Identity
from crossfade.infra.deployment.commandline import CDK_VERSION
from crossfade.infra.deployment.errors import AccountRefused, NotAllowed, Obstacle
from crossfade.infra.estimate.resources import Resources
from crossfade.infra.quotas import LOOKED_UP
from crossfade.model.file import MigrationFile, SecretReference, SecretStore

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_STUCK = ("ROLLBACK_FAILED", "DELETE_FAILED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What an account answered. Ready without obstacles; notes are what could not be looked at."""

    identity: Identity
    deployed: Mapping[str, DeployedStack]
    """Those of our stacks that stand there already, by name."""
    obstacles: tuple[Obstacle, ...]
    notes: tuple[str, ...] = ()


def ready_to_deploy(file: MigrationFile, assembly: Assembly, stacks: tuple[Stack, ...], account: Account) -> Readiness:
    """Account, bootstrap, stacks of that name, secrets and quotas, all together. Raises the errors of the account."""
    known = _known(file, stacks, account)
    notes: list[str] = []
    obstacles = (
        *known.obstacles,
        *_bootstrap(file, assembly, account, known.identity),
        *_secrets(file, account, notes),
        *_quotas(assembly, stacks, account, known.deployed, notes),
    )
    return Readiness(identity=known.identity, deployed=known.deployed, obstacles=obstacles, notes=tuple(notes))


def ready_to_compare(file: MigrationFile, assembly: Assembly, stacks: tuple[Stack, ...], account: Account) -> Readiness:
    """Account and bootstrap; a stack that is being changed can be looked at."""
    identity = account.identity()
    obstacles = (*_account(file, identity), *_bootstrap(file, assembly, account, identity))
    return Readiness(identity=identity, deployed=_ours(stacks, account), obstacles=obstacles)


def ready_to_destroy(file: MigrationFile, stacks: tuple[Stack, ...], account: Account) -> Readiness:
    """Account and stacks. One that could not be deleted before may be tried again."""
    known = _known(file, stacks, account, stuck=())
    return Readiness(identity=known.identity, deployed=known.deployed, obstacles=known.obstacles)


def left_behind(file: MigrationFile, account: Account) -> tuple[str, ...]:
    """Stacks that still carry the tags of this migration and environment."""
    return tuple(sorted(name for name, stack in account.stacks().items() if _is_ours(file, stack)))


def _known(
    file: MigrationFile, stacks: tuple[Stack, ...], account: Account, stuck: tuple[str, ...] = _STUCK
) -> Readiness:
    identity = account.identity()
    deployed = _ours(stacks, account)
    obstacles = (*_account(file, identity), *_stacks(file, deployed, stuck))
    return Readiness(identity=identity, deployed=deployed, obstacles=obstacles)


def _ours(stacks: tuple[Stack, ...], account: Account) -> dict[str, DeployedStack]:
    names = {stack.name for stack in stacks}
    return {name: stack for name, stack in account.stacks().items() if name in names}


def _is_ours(file: MigrationFile, stack: DeployedStack) -> bool:
    ours = {"project": "crossfade", "migration": file.migration.name, "environment": file.environment.suffix}
    return ours.items() <= stack.tags.items()


def _account(file: MigrationFile, identity: Identity) -> Iterator[Obstacle]:
    wanted = file.environment.account
    if wanted is not None and wanted != identity.account:
        yield Obstacle(
            problem=f"the file says account {wanted}, and the credentials ({identity.name}) are of {identity.account}",
            remedy="use credentials of that account, or correct environment.account",
        )


def _stacks(file: MigrationFile, deployed: Mapping[str, DeployedStack], stuck: tuple[str, ...]) -> Iterator[Obstacle]:
    for name, stack in sorted(deployed.items()):
        if stack.status.endswith("_IN_PROGRESS") and stack.status != "REVIEW_IN_PROGRESS":
            yield Obstacle(
                problem=f"the stack {name} is being changed: {stack.status}", remedy="wait until CloudFormation is done"
            )
        elif stack.status.endswith(stuck) and stuck:
            yield Obstacle(
                problem=f"the stack {name} is stuck: {stack.status}",
                remedy="see in CloudFormation's console why; continue its rollback or delete it there",
            )
        if stack.tags and not _is_ours(file, stack):
            yield Obstacle(
                problem=f"a stack {name} stands there that is not of the migration {file.migration.name}",
                remedy="choose another environment.suffix: two migrations cannot share one in an account and region",
            )


def _bootstrap(file: MigrationFile, assembly: Assembly, account: Account, identity: Identity) -> Iterator[Obstacle]:
    environment = f"aws://{identity.account}/{file.environment.region}"
    command = f"run `npx aws-cdk@{CDK_VERSION} bootstrap {environment}` once"
    needed = _bootstrap_needed(assembly.folder)
    try:
        found = account.bootstrap_version(BOOTSTRAP_PARAMETER)
    except NotAllowed as denied:
        yield Obstacle(problem=f"whether the account is bootstrapped cannot be read: {denied}", remedy=denied.remedy)
        return
    if found is None:
        yield Obstacle(problem=f"{environment} is not bootstrapped: {BOOTSTRAP_PARAMETER} is missing", remedy=command)
    elif found < needed:
        yield Obstacle(
            problem=f"{environment} was bootstrapped in version {found}, and {needed} is needed", remedy=command
        )


def _bootstrap_needed(folder: Path) -> int:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told = (a.get("properties", {}).get("requiresBootstrapStackVersion", 0) for a in manifest["artifacts"].values())
    return max(told, default=0)


def _secrets(file: MigrationFile, account: Account, notes: list[str]) -> Iterator[Obstacle]:
    for place, secret in sorted(_referenced(file)):
        try:
            there = account.has_secret(secret)
        except NotAllowed as denied:
            notes.append(f"the secrets that the file names were not looked for: {denied}")
            return
        if not there:
            yield Obstacle(
                problem=f"the secret {secret}, which the file names as {place}, is not there",
                remedy="create it in Secrets Manager, in this account and region",
            )


def _referenced(file: MigrationFile) -> Iterator[tuple[str, str]]:
    """Place in the file and name of each secret that the templates read."""
    link = file.connectivity
    named: list[tuple[str, SecretReference | None]] = [
        (f"connectivity.vpn.tunnels.{number}.pre_shared_key", tunnel.pre_shared_key)
        for number, tunnel in enumerate(link.vpn.tunnels)
    ]
    if wants.direct_connect(file):
        named.append(("connectivity.direct_connect.bgp_key", link.direct_connect.bgp_key))
    if wants.dms(file):
        named.append(("database.source.credentials", file.database.source.credentials))
    for place, secret in named:
        if secret is not None and secret.store is SecretStore.SECRETS_MANAGER:
            yield place, secret.name


def _quotas(
    assembly: Assembly,
    stacks: tuple[Stack, ...],
    account: Account,
    deployed: Mapping[str, DeployedStack],
    notes: list[str],
) -> Iterator[Obstacle]:
    """What stands there already counts as in use, so only new stacks need something."""
    new = Resources(
        {
            stack.name: json.loads((assembly.folder / stack.template).read_text(encoding="utf-8"))
            for stack in stacks
            if stack.name not in deployed
        }
    )
    for quota in LOOKED_UP:
        if not (count := quota.needed(new)):
            continue
        try:
            allowed = account.quota(quota.service, quota.code)
            used = 0 if quota.in_new_vpc or allowed is None else account.in_use(quota.kind)
        except (NotAllowed, AccountRefused) as refused:
            notes.append(f"quotas were not looked at: {refused}")
            return
        if allowed is not None and used + count > allowed:
            yield Obstacle(
                problem=f"the quota {quota.name} is {allowed:g}, of which {used} are in use, and {count} are needed",
                remedy=f"ask for more: Service Quotas, {quota.service}, {quota.code}",
            )
