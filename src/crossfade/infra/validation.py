"""The checks of the migration file as documents of Systems Manager. Pure: what runs on a server is text made here.

Every script ends with an exit code other than 0 when it could not check, as when the check fails: what is not known has
not passed. It says in one line what it found. Values of the file are quoted for the shell, whatever they hold.
"""

from collections.abc import Iterator
from shlex import quote

from crossfade.model.file import MigrationFile
from crossfade.model.file.checks import Checks, HttpCheck, ServiceCheck
from crossfade.model.file.site import Tier

ANY_TIER = "any"
_MINUTES = 5
_AGENTS = ("amazon-ssm-agent",)


def server_document(file: MigrationFile, *, database_host: str, secret: str) -> dict[str, object]:
    """The Command document that checks one server: application, database, services, disk, agent.

    `secret` names the secret of a role that may only read, with the keys username, password and dbname.
    """
    steps = [*_http(file), *_database(file.checks, database_host, secret), *_services(file.checks), *_machine(file)]
    return {
        "schemaVersion": "2.2",
        "description": f"Checks a server of {file.migration.name} after it was launched on AWS",
        "parameters": {
            "Tier": {
                "type": "String",
                "description": "The server's tier; by default the one that the file gives to its name",
                "default": ANY_TIER,
                "allowedValues": [ANY_TIER, *(tier.name for tier in file.source.tiers)],
            }
        },
        "mainSteps": [
            {
                "action": "aws:runShellScript",
                "name": name,
                "precondition": {"StringEquals": ["platformType", "Linux"]},
                "inputs": {"timeoutSeconds": str(_MINUTES * 60), "runCommand": script.splitlines()},
            }
            for name, script in steps
        ],
    }


def _http(file: MigrationFile) -> Iterator[tuple[str, str]]:
    for check in file.checks.http:
        tiers = [tier for tier in file.source.tiers if check.tier in {None, tier.name}]
        for tier in tiers:
            yield (
                _step(f"http_{check.name}_{tier.name}"),
                of_tier(file, tier, http_script(check, tier.port, file.checks)),
            )
        if not file.source.tiers:
            yield _step(f"http_{check.name}"), http_script(check, 8080, file.checks)


def of_tier(file: MigrationFile, tier: Tier, script: str) -> str:
    """The script for servers of the tier only. A server keeps its name when it moves, and by that its tier is known.

    A server whose name the file does not give is asked what every tier is asked: it must not pass unasked.
    """
    names = [s.name.split(".", 1)[0].lower() for s in file.source.servers if s.tier == tier.name]
    others = [s.name.split(".", 1)[0].lower() for s in file.source.servers if s.tier not in {None, tier.name}]
    lines = ['tier="{{ Tier }}"', 'name=$(hostname -s | tr "[:upper:]" "[:lower:]")']
    if names:
        lines.append(f'case "$tier:$name" in {_any_of(names)}) tier={quote(tier.name)} ;; esac')
    if others:
        lines.append(f'case "$tier:$name" in {_any_of(others)}) tier=another ;; esac')
    told = f"{tier.name}: not a server of this tier"
    lines.append(f'case "$tier" in {quote(tier.name)}|{ANY_TIER}) ;; *) echo {quote(told)}; exit 0 ;; esac')
    return "\n".join([*lines, script])


def _any_of(names: list[str]) -> str:
    return "|".join(quote(f"{ANY_TIER}:{name}") for name in names)


def http_script(check: HttpCheck, port: int, checks: Checks) -> str:
    """Asks the server itself, as often as the file says; the answer needs the expected status and text."""
    return f"""\
url={quote(f"http://127.0.0.1:{port}{check.path}")}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
for attempt in $(seq {checks.attempts}); do
  status=$(curl --silent --max-time {check.timeout.total_seconds():g} --output "$answer" --write-out '%{{http_code}}' "$url" || true)
  if [ "$status" = {check.status} ] && grep --quiet --fixed-strings -e {quote(check.contains)} "$answer"; then
    echo {quote(check.name)}": $url answered $status"
    exit 0
  fi
  [ "$attempt" = {checks.attempts} ] || sleep {checks.retry_after.total_seconds():g}
done
echo {quote(check.name)}": $url answered ${{status:-nothing}}, expected {check.status}"{_containing(check)}
exit 1
"""  # noqa: E501  # a shell's line


def _containing(check: HttpCheck) -> str:
    return f'" containing "{quote(check.contains)}' if check.contains else ""


def _database(checks: Checks, host: str, secret: str) -> Iterator[tuple[str, str]]:
    for check in checks.database:
        yield (
            _step(f"database_{check.name}"),
            f"""\
command -v psql >/dev/null || {{ echo {quote(f"{check.name}: psql is not installed")}; exit 1; }}
read_secret() {{ aws secretsmanager get-secret-value --secret-id {quote(secret)} --query SecretString --output text; }}
secret=$(read_secret) || {{ echo {quote(f"{check.name}: the secret may not be read")}; exit 1; }}
of() {{ printf '%s' "$secret" | python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }}
export PGHOST={quote(host)} PGPORT="$(of port)" PGSSLMODE=require
export PGCONNECT_TIMEOUT={max(2, int(check.timeout.total_seconds()))}
export PGUSER="$(of username)" PGPASSWORD="$(of password)" PGDATABASE="$(of dbname)"
export PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout={int(check.timeout.total_seconds() * 1000)}'
rows=$(psql --no-psqlrc --tuples-only --no-align --command={quote(check.query)}) || exit 1
[ -n "$rows" ] || {{ echo {quote(f"{check.name}: connected over TLS, but the query returned no row")}; exit 1; }}
echo {quote(f"{check.name}: connected over TLS and read")}
""",
        )


def _services(checks: Checks) -> Iterator[tuple[str, str]]:
    for check in checks.services:
        yield _step(f"service_{check.name}"), service_script(check)


def service_script(check: ServiceCheck) -> str:
    """The unit runs, and the port accepts a connection: whichever of the two the file names."""
    lines = []
    if check.unit:
        lines += [
            f"state=$(systemctl is-active {quote(check.unit)} || true)",
            f'[ "$state" = active ] || {{ echo {quote(check.unit)}" is ${{state:-unknown}}"; exit 1; }}',
        ]
    if check.port is not None:
        place = f"{check.host or '127.0.0.1'}/{check.port}"
        lines.append(
            f"timeout 5 bash -c {quote(f'exec 3<>/dev/tcp/{place}')} 2>/dev/null || "
            f"{{ echo {quote(f'{check.name}: {place} accepts no connection')}; exit 1; }}"
        )
    return "\n".join([*lines, f"echo {quote(f'{check.name}: runs')}"]) + "\n"


def _machine(file: MigrationFile) -> Iterator[tuple[str, str]]:
    if file.checks.minimum_free_disk is not None:
        yield "disk", disk_script(file.checks.minimum_free_disk)
    for agent in _AGENTS:
        yield _step(f"agent_{agent}"), service_script(ServiceCheck(name=agent, unit=f"{agent}.service"))


def disk_script(least_bytes: int) -> str:
    return f"""\
free=$(df --output=avail --block-size=1 / | tail -1 | tr -d ' ')
[ "$free" -ge {least_bytes} ] || {{ echo "disk: $free bytes are free, {least_bytes} are needed"; exit 1; }}
echo "disk: $free bytes are free"
"""


def _step(name: str) -> str:
    return name.replace("-", "_")[:60]


SUMMARY = '''\
import boto3


def summarise(event, context):
    """One answer for all servers: every one that was asked has passed, and at least one was."""
    pages = boto3.client("ssm").get_paginator("list_command_invocations").paginate(CommandId=event["command"])
    states = {one["InstanceId"]: one["Status"] for page in pages for one in page["CommandInvocations"]}
    failed = sorted(server for server, state in states.items() if state != "Success")
    if not states:
        raise RuntimeError("no server was asked: none carries the tag of this migration, or no agent answers")
    if failed:
        raise RuntimeError(f"{len(failed)} of {len(states)} servers have not passed: {', '.join(failed)}")
    return {"servers": len(states), "passed": len(states)}
'''
"""Runs within the automation, and is tested as the module that it is."""


def fleet_document(file: MigrationFile, *, server_document_name: str, role_arn: str, logs: str) -> dict[str, object]:
    """The Automation document that checks every server of the migration and gathers one answer."""
    return {
        "schemaVersion": "0.3",
        "description": f"Checks every server of {file.migration.name} on AWS; fails unless all have passed",
        "assumeRole": role_arn,
        "outputs": ["gather.servers", "gather.passed"],
        "mainSteps": [
            {
                "name": "check",
                "action": "aws:runCommand",
                "onFailure": "Continue",
                "timeoutSeconds": _MINUTES * 60 * 4,
                "nextStep": "gather",
                "inputs": {
                    "DocumentName": server_document_name,
                    "Targets": [{"Key": "tag:migration", "Values": [file.migration.name]}],
                    "MaxConcurrency": "50%",
                    "MaxErrors": "100%",
                    "CloudWatchOutputConfig": {"CloudWatchOutputEnabled": True, "CloudWatchLogGroupName": logs},
                },
            },
            {
                "name": "gather",
                "action": "aws:executeScript",
                "isEnd": True,
                "inputs": {
                    "Runtime": "python3.11",
                    "Handler": "summarise",
                    "InputPayload": {"command": "{{ check.CommandId }}"},
                    "Script": SUMMARY,
                },
                "outputs": [
                    {"Name": name, "Selector": f"$.Payload.{name}", "Type": "Integer"} for name in ("servers", "passed")
                ],
            },
        ],
    }
