import json
from pathlib import Path

import pytest

from crossfade.infra.assembly import Assembly, Stack
from crossfade.infra.deployment.account import DeployedStack
from crossfade.infra.deployment.readiness import (
    Readiness,
    left_behind,
    ready_to_compare,
    ready_to_deploy,
    ready_to_destroy,
)
from crossfade.infra.errors import StackUnknown
from crossfade.infra.estimate.resources import Resources
from crossfade.infra.quotas import LOOKED_UP
from tests.infra.accounts import AccountInMemory
from tests.infra.templates import Templates, least, reference

OURS = {"project": "crossfade", "migration": "ledger", "environment": "prod"}
SECRET = "ledger/source-database"


@pytest.fixture(scope="module")
def assembly(built: Templates) -> Assembly:
    needed = {"rollback": ("network-prod",), "network": ()}
    stacks = tuple(
        Stack(
            name=f"{stack}-prod",
            template=f"{stack}.template.json",
            resources=1,
            needs=needed.get(stack, ("events-prod",)),
        )
        for stack in built.stacks()
    )
    return Assembly(folder=built.folder, stacks=stacks, seconds=0)


def asked(assembly: Assembly, account: AccountInMemory, wanted: str | None = None) -> Readiness:
    """What an account answers when the file wants that one, or any."""
    file = reference()
    file = file.model_copy(update={"environment": file.environment.model_copy(update={"account": wanted})})
    return ready_to_deploy(file, assembly, assembly.stacks, account)


def test_nothing_stands_in_the_way_of_an_account_that_is_ready(assembly: Assembly) -> None:
    account = AccountInMemory(secrets={SECRET}, quotas={quota.code: 50 for quota in LOOKED_UP})
    readiness = asked(assembly, account, wanted="123456789012")
    assert readiness.obstacles == ()
    assert readiness.notes == ()


def test_all_that_is_missing_is_told_together(assembly: Assembly) -> None:
    account = AccountInMemory(
        account="999999999999", bootstrapped=None, quotas={"L-F678F1CE": 5}, used={"AWS::EC2::VPC": 5}
    )
    readiness = asked(assembly, account, wanted="123456789012")
    problems = [one.problem for one in readiness.obstacles]
    assert len(problems) == 4
    assert "123456789012" in problems[0]
    assert "999999999999" in problems[0]
    assert "aws://999999999999/us-east-1 is not bootstrapped" in problems[1]
    assert SECRET in problems[2]
    assert "database.source.credentials" in problems[2]
    assert "VPCs per Region is 5, of which 5 are in use, and 1 are needed" in problems[3]
    assert all(one.remedy for one in readiness.obstacles)


def test_a_bootstrap_that_is_too_old_is_told_with_the_version_that_is_needed(assembly: Assembly) -> None:
    manifest = json.loads((assembly.folder / "manifest.json").read_text(encoding="utf-8"))["artifacts"]
    needed = manifest["network"]["properties"]["requiresBootstrapStackVersion"]
    account = AccountInMemory(bootstrapped=needed - 1, secrets={SECRET})
    (obstacle,) = asked(assembly, account).obstacles
    assert f"version {needed - 1}, and {needed} is needed" in obstacle.problem


@pytest.mark.parametrize(
    ("status", "said"), [("UPDATE_IN_PROGRESS", "is being changed"), ("UPDATE_ROLLBACK_FAILED", "is stuck")]
)
def test_a_stack_that_cannot_be_changed_now_is_told(assembly: Assembly, status: str, said: str) -> None:
    account = AccountInMemory(secrets={SECRET}, deployed={"network-prod": DeployedStack(status=status, tags=OURS)})
    (obstacle,) = asked(assembly, account).obstacles
    assert said in obstacle.problem


def test_a_stack_of_another_migration_is_never_touched(assembly: Assembly) -> None:
    theirs = DeployedStack(status="CREATE_COMPLETE", tags={**OURS, "migration": "billing"})
    account = AccountInMemory(secrets={SECRET}, deployed={"network-prod": theirs})
    (before_deploying,) = asked(assembly, account).obstacles
    (before_destroying,) = ready_to_destroy(reference(), assembly.stacks, account).obstacles
    assert before_deploying == before_destroying
    assert "not of the migration ledger" in before_deploying.problem


def test_what_could_not_be_deleted_before_may_be_deleted_again(assembly: Assembly) -> None:
    account = AccountInMemory(deployed={"data-prod": DeployedStack(status="DELETE_FAILED", tags=OURS)})
    assert ready_to_destroy(reference(), assembly.stacks, account).obstacles == ()


def test_what_stands_already_needs_no_quota_any_more(assembly: Assembly) -> None:
    there = DeployedStack(status="CREATE_COMPLETE", tags=OURS)
    account = AccountInMemory(
        secrets={SECRET}, quotas={"L-F678F1CE": 1}, used={"AWS::EC2::VPC": 1}, deployed={"network-prod": there}
    )
    assert asked(assembly, account).obstacles == ()


def test_what_may_not_be_looked_at_is_a_note_and_a_bootstrap_that_may_not_be_is_none(assembly: Assembly) -> None:
    readiness = asked(assembly, AccountInMemory(denied={"secrets", "quotas", "bootstrap"}))
    assert [one.problem for one in readiness.obstacles] == [
        "whether the account is bootstrapped cannot be read: the credentials may not call bootstrap"
    ]
    assert len(readiness.notes) == 2


def test_quotas_are_those_of_what_the_templates_hold(built: Templates) -> None:
    resources = Resources({name: built.template(name) for name in built.stacks()})
    counted = {quota.kind: quota.needed(resources) for quota in LOOKED_UP}
    assert counted["AWS::EC2::VPC"] == counted["AWS::EC2::VPNConnection"] == counted["AWS::RDS::DBInstance"] == 1
    endpoints = built.properties("AWS::EC2::VPCEndpoint")
    assert counted["AWS::EC2::VPCEndpoint"] == sum(one["VpcEndpointType"] == "Interface" for one in endpoints)
    assert counted["AWS::EC2::EIP"] == 0


def test_comparing_needs_no_quota_and_no_secret(assembly: Assembly) -> None:
    account = AccountInMemory(quotas={quota.code: 0 for quota in LOOKED_UP})
    assert ready_to_compare(reference(), assembly, assembly.stacks, account).obstacles == ()


def test_stacks_of_this_migration_are_found_by_their_tags() -> None:
    account = AccountInMemory(
        deployed={
            "replication-prod": DeployedStack(status="CREATE_COMPLETE", tags=OURS),
            "network-dev": DeployedStack(status="CREATE_COMPLETE", tags={**OURS, "environment": "dev"}),
            "theirs": DeployedStack(status="CREATE_COMPLETE", tags={}),
        }
    )
    assert left_behind(reference(), account) == ("replication-prod",)
    assert left_behind(least(), account) == ("network-dev",)


def test_what_must_go_together_is_chosen_together(assembly: Assembly) -> None:
    assert {stack.kind for stack in assembly.chosen(["rollback"])} == {"rollback", "network"}
    assert {stack.kind for stack in assembly.chosen_to_go(["network-prod"])} == {"rollback", "network"}
    assert assembly.chosen([]) == assembly.chosen_to_go([]) == assembly.stacks
    with pytest.raises(StackUnknown, match="netwrok") as raised:
        assembly.chosen(["netwrok"])
    assert "network" in raised.value.remedy


def test_the_manifest_is_read_where_the_templates_lie(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"artifacts": {}}', encoding="utf-8")
    bare = Assembly(folder=tmp_path, stacks=(), seconds=0)
    assert ready_to_compare(reference(), bare, (), AccountInMemory(bootstrapped=0)).obstacles == ()
