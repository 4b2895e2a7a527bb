"""The steps about files, servers and checks, and the network, of which no way back asks for anything."""

from crossfade.model import ends
from crossfade.model.file.servers import ServerEngine
from crossfade.model.terms import Side
from crossfade.planning.playbooks.records import Card, Command, Component
from crossfade.planning.playbooks.site import Site, limit, literal, shell, watched
from crossfade.report.end_words import aim, reached

_MOST_NAMED = 50
"""Servers named in one query; with more, a person picks them."""


def files_follow(site: Site, end: ends.FilesFollow) -> Card:
    """Files written on `end.primary` appear on the other side."""
    tasks = site.landing.way_back_tasks if end.primary is Side.TARGET else site.landing.forward_tasks
    by_hand = tuple(command for share, task in tasks.items() for command in _run(share, task))
    return Card(
        key=f"files-from-{end.primary}",
        component=Component.FILES,
        title=aim(end),
        does=f"copies what is written on the {end.primary} to the {end.primary.other}, and no longer the other way: "
        "never both at once",
        see=(watched(f"{reached(end)}."), *(_status(task) for task in tasks.values())),
        by_hand=by_hand,
        limits=(limit("a round begins every", site.file.files.interval, "files.interval"),),
        hazard="Run the opposite task only when this one has ended: each of them takes what the other side has for "
        "deleted."
        if tasks
        else _NO_FILES,
    )


def files_in_step(site: Site) -> Card:
    """Nothing is left to be copied."""
    tasks = site.landing.way_back_tasks
    return Card(
        key="files-in-step",
        component=Component.FILES,
        title="wait for the files' copies",
        does="waits until no file differs, or the oldest difference is younger than the limit of replication lag",
        see=(watched("The files are in step."), *(_status(task) for task in tasks.values())),
        by_hand=tuple(command for share, task in tasks.items() for command in _run(share, task)),
        limits=(limit("the last difference may take", site.file.files.final_delta_limit, "files.final_delta_limit"),),
        hazard="" if tasks else _NO_FILES,
    )


def files_reverted(site: Site, end: ends.FilesReverted) -> Card:
    """What was copied to the target is gone; the source's files were never touched."""
    return Card(
        key="files-reverted",
        component=Component.FILES,
        title=aim(end),
        does="ends the copying and removes what was copied to the target; the source's files are as they were",
        see=(watched(f"{reached(end)}."), *(_status(task) for task in site.landing.forward_tasks.values())),
        by_hand=tuple(command for task in site.landing.forward_tasks.values() for command in _cancel(task)),
        hazard="What lies on AWS is left for `crossfade destroy`: it goes with its stack."
        if site.landing.forward_tasks
        else _NO_FILES,
    )


def servers_reverted(site: Site, end: ends.ServersReverted) -> Card:
    """The twins on AWS are gone; the legacy servers were never touched."""
    mgn = site.file.servers.engine is ServerEngine.MGN
    return Card(
        key="servers-reverted",
        component=Component.SERVERS,
        title=aim(end),
        does="ends test and cutover instances and the servers' copies; the legacy servers are as they were",
        see=(watched(f"{reached(end)}."), *((_life(site),) if mgn else ())),
        by_hand=_end_instances(site) if mgn else (),
        limits=(
            limit("an instance may take to end", site.file.servers.cutover.time_limit, "servers.cutover.time_limit"),
        ),
        hazard="Only when the share is 0 and no request is in flight: users on an instance that ends get errors."
        + ("" if mgn else " CloudEndure has no command line: end the instances in its console."),
    )


def checks_passed(site: Site, end: ends.ChecksPassed) -> Card:
    """The legacy side answers as it should."""
    return Card(
        key="checks-source",
        component=Component.SERVERS,
        title=aim(end),
        does="asks the legacy servers, their database and services as `checks` says, until all pass",
        see=(watched(f"{reached(end)}."), *_asked(site)),
        by_hand=_asked(site),
        limits=(
            limit("a check is tried", float(site.file.checks.attempts), "checks.attempts"),
            limit("with a pause of", site.file.checks.retry_after, "checks.retry_after"),
        ),
        hazard="A legacy server that does not answer is started as it always was: the migration has changed nothing.",
    )


def network(site: Site) -> Card:
    """No way back asks anything of the network; it is looked at all the same."""
    direct = site.file.connectivity.direct_connect.enabled
    name = shell(f"Name=tag:Name,Values={site.landing.vpn}")
    tunnels = Command(
        says="Both tunnels",
        text=f"aws ec2 describe-vpn-connections --filters {name}"
        " --query 'VpnConnections[0].VgwTelemetry[].Status' --output text",
        prints="UP\tUP",
    )
    interfaces = Command(
        says="The virtual interface",
        text="aws directconnect describe-virtual-interfaces"
        " --query 'virtualInterfaces[].[virtualInterfaceName,virtualInterfaceState]' --output text",
        prints="…\tavailable",
    )
    return Card(
        key="network",
        component=Component.NETWORK,
        title="nothing: the network is built before anything moves, and stays",
        does="undoes nothing of the network. It looks at each path every two seconds and warns when one alone is left; "
        "a lost path turns nothing back",
        see=(tunnels, *((interfaces,) if direct else ())),
        by_hand=(),
        hazard="While no path carries traffic, writes cannot return. Before the cutover users are sent to the legacy "
        "servers all the same; after it the target goes on taking writes until a path is up: repair the path first.",
    )


def _run(share: str, task: str) -> tuple[Command, ...]:
    query = f"Tasks[?Name=={literal(task)}].TaskArn | [0]"
    return (
        Command(
            says=f"The task of the share {share}",
            text=f"TASK=$(aws datasync list-tasks --query '{query}' --output text)",
        ),
        Command(
            says="One run of it",
            text='RUN=$(aws datasync start-task-execution --task-arn "$TASK" --query TaskExecutionArn --output text)',
        ),
        Command(
            says="Ask until it has ended",
            text='aws datasync describe-task-execution --task-execution-arn "$RUN" --query Status --output text',
            prints="SUCCESS",
        ),
    )


def _status(task: str) -> Command:
    return Command(
        says=f"Whether {task} runs",
        text=f"aws datasync list-tasks --query 'Tasks[?Name=={literal(task)}].Status | [0]' --output text",
        prints="AVAILABLE, or RUNNING meanwhile",
    )


def _cancel(task: str) -> tuple[Command, ...]:
    query = f"Tasks[?Name=={literal(task)}].TaskArn | [0]"
    return (
        Command(says=f"The task {task}", text=f"TASK=$(aws datasync list-tasks --query '{query}' --output text)"),
        Command(
            says="Its run, if there is one",
            text='RUN=$(aws datasync list-task-executions --task-arn "$TASK"'
            " --query 'TaskExecutions[-1].TaskExecutionArn' --output text)",
        ),
        Command(says="No run of it goes on", text='aws datasync cancel-task-execution --task-execution-arn "$RUN"'),
    )


def _ours(site: Site) -> str:
    names = site.file.server_names()
    if len(names) > _MOST_NAMED:
        return "items[]"
    listed = ",".join(f'"{name}"' for name in names)
    return f"items[?contains(`[{listed}]`, sourceProperties.identificationHints.hostname)]"


def _life(site: Site) -> Command:
    return Command(
        says="The life of each server, in MGN's words",
        text="aws mgn describe-source-servers --query"
        f" '{_ours(site)}.[sourceProperties.identificationHints.hostname,lifeCycle.state]' --output text",
        prints="…\tREADY_FOR_TEST",
    )


def _end_instances(site: Site) -> tuple[Command, ...]:
    return (
        Command(
            says="MGN's names of the servers"
            + (
                " (all of the account: keep only this migration's)"
                if len(site.file.server_names()) > _MOST_NAMED
                else ""
            ),
            text=f"SERVERS=$(aws mgn describe-source-servers --query '{_ours(site)}.sourceServerID' --output text)",
        ),
        Command(
            says="Their instances end; the copies stay, and another try needs no new one",
            text="aws mgn terminate-target-instances --source-server-ids $SERVERS",
        ),
    )


def _asked(site: Site) -> tuple[Command, ...]:
    """The HTTP checks at the first server of each tier; the others are asked alike."""
    found: list[Command] = []
    for tier in site.file.source.tiers:
        server = next((s for s in site.file.source.servers if s.tier == tier.name and s.address), None)
        if server is None:
            continue
        for check in site.file.checks.http:
            if check.tier in {None, tier.name}:
                url = shell(f"http://{server.address}:{tier.port}{check.path}")
                wait = f"{check.timeout.total_seconds():g}"
                found.append(
                    Command(
                        says=f"{check.name} of {server.name}; the other servers of {tier.name} alike",
                        text=f"curl --silent --max-time {wait} --output /dev/null --write-out '%{{http_code}}' {url}",
                        prints=str(check.status),
                    )
                )
    return tuple(found)


_NO_FILES = "The file names no share with a task of DataSync: there is nothing to copy on AWS."
