"""What a function's code calls, and what its role's policy grants."""

import ast
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3

from tests.infra.templates import Templates, text


def client(name: str) -> Any:
    """A client that has credentials of nobody."""
    return boto3.client(name, region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")


def calls(package: ModuleType, *services: str) -> set[str]:
    """The calls in the package's syntax on something named as a service, as IAM names them. The service has each."""
    found = set()
    for path in Path(str(package.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = _last(node.func.value)
                if owner in services:
                    found.add(f"{owner}:{_operation(owner, node)}")
    return found


def _last(owner: ast.expr) -> str:
    return owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""


def _operation(service: str, call: ast.Call) -> str:
    """Of a call of a client, or of a paginator's."""
    assert isinstance(call.func, ast.Attribute)
    (method,) = (
        [one.value for one in call.args if isinstance(one, ast.Constant)]
        if call.func.attr == "get_paginator"
        else [call.func.attr]
    )
    operations = {name.lower(): name for name in client(service).meta.service_model.operation_names}
    return str(operations[str(method).replace("_", "")])


def statements(templates: Templates, role: str) -> list[dict[str, Any]]:
    """The statements of the managed policies that are attached to the role of this name, without its suffix."""
    named = {
        (place.partition("/")[0], text({"Ref": place.partition("/")[2]}))
        for kind, name in (("AWS::IAM::Role", "RoleName"), ("AWS::IAM::Group", "GroupName"))
        for place, resource in templates.every(kind)
        if str(resource["Properties"].get(name, "")).rpartition("-")[0] == role
    }
    assert named, f"there is no {role}"
    return [
        statement
        for place, policy in templates.every("AWS::IAM::ManagedPolicy")
        for owners in [*policy["Properties"].get("Roles", ()), *policy["Properties"].get("Groups", ())]
        if (place.partition("/")[0], text(owners)) in named
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]


def granted(templates: Templates, role: str) -> set[str]:
    """The actions that the role's policies allow."""
    return {
        action
        for statement in statements(templates, role)
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
"""What Lambda itself does in a function's name."""
