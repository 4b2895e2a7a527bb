"""The router's steps: shares to 0, the last requests, the mirror. One table a router; an unknown one is an error."""

from crossfade.model import ends
from crossfade.model.file.traffic import RouterEngine
from crossfade.model.terms import Side
from crossfade.planning.playbooks.records import Card, Command, Component, Limit
from crossfade.planning.playbooks.site import Site, limit, literal, shell, watched
from crossfade.planning.playbooks.statements import psql
from crossfade.report.end_words import aim, reached

_RECORDS = 'aws route53 list-resource-record-sets --hosted-zone-id "$ZONE"'
_NONE = ends.SharesAre(canary_percent=0.0)


def shares(site: Site) -> Card:
    """All users are on the legacy servers."""
    see, by_hand = _SHARES[site.file.traffic.router](site)
    argo = site.file.traffic.router is RouterEngine.ARGO
    return Card(
        key="shares-0",
        component=Component.KUBERNETES if argo else Component.ROUTER,
        title=aim(_NONE),
        does="sets the share to 0 at once, whatever the ladder, and sets it again where the router says another",
        see=(watched(f"{reached(_NONE)}."), see),
        by_hand=by_hand,
        limits=(_within(site), *_names(site)),
        hazard="After the cutover the source refuses writes until it is opened: users who are led back read there, "
        "and their writes find the target by themselves. Do not fear the order, and do not change it.",
    )


def drained(site: Site) -> Card:
    """No request is in flight to the modern servers."""
    roles = ", ".join(f"'{role}'" for role in site.file.database.application_roles)
    asked = psql(
        Side.SOURCE,
        "Statements of the application that come from the target's network and are still under way",
        f"SELECT count(*) FROM pg_stat_activity WHERE usename IN ({roles})"  # noqa: S608 - names that the file's form holds to letters and digits
        f"\n  AND client_addr <<= '{site.file.target.cidr}' AND state <> 'idle';",
        prints="0",
    )
    return Card(
        key="drained",
        component=Component.ROUTER,
        title="wait for the last requests in flight",
        does="waits until no request is in flight to the modern servers, and takes nothing away before",
        see=(watched("No request is in flight any more."), asked),
        limits=(
            limit("what a request may take to end", site.file.traffic.drain_timeout, "traffic.drain_timeout"),
            *_names(site),
        ),
        hazard="There is nothing to do by hand but to wait and to ask again.",
    )


def mirror(site: Site) -> Card:
    """No request is copied to the modern servers any more."""
    off = ends.MirrorIs(percent=0.0)
    envoy = site.file.traffic.router is RouterEngine.ENVOY
    see, by_hand = _envoy(site)
    return Card(
        key="mirror-0",
        component=Component.ROUTER,
        title=aim(off),
        does="turns the mirror off; users never saw its answers"
        + ("" if envoy else ". Names mirror nothing: with this router there is nothing to turn off"),
        see=(watched(f"{reached(off)}."), *((see,) if envoy else ())),
        by_hand=by_hand if envoy else (),
        limits=(_within(site),),
    )


def cluster(site: Site) -> tuple[Card, ...]:
    """The Rollout of a file that describes one, where users are led into the cluster by another router."""
    file = site.file
    if file.traffic.router is RouterEngine.ARGO or "kubernetes" not in file.model_fields_set:
        return ()
    see, by_hand = _argo(site)
    card = Card(
        key="cluster",
        component=Component.KUBERNETES,
        title="nothing: users leave the cluster by the router",
        does="asks nothing of the cluster on a way back. A version that is bad within the cluster goes back there, "
        "by Argo Rollouts or by hand",
        see=(see,),
        by_hand=by_hand,
        hazard="After an abort the new version is still what the Rollout asks for, until it is undone.",
    )
    return (card,)


def _within(site: Site) -> Limit:
    return limit(
        "people are told when users are not back within", site.file.limits.rollback_within, "limits.rollback_within"
    )


def _names(site: Site) -> tuple[Limit, ...]:
    if site.file.traffic.router is not RouterEngine.ROUTE53:
        return ()
    return (limit("clients keep to an old answer for up to", site.file.traffic.dns.ttl, "traffic.dns.ttl"),)


def _route53(site: Site) -> tuple[Command, tuple[Command, ...]]:
    name = literal(f"{site.landing.record}.")
    find = f"ResourceRecordSets[?Name=={name}"
    see = Command(
        says="The weights, of 255",
        text=f"{_RECORDS} --query '{find}].[SetIdentifier,Weight]' --output text",
        prints="source\t255\ntarget\t0",
    )

    def change(side: str, weight: int) -> str:
        record = f"{find} && SetIdentifier=={literal(side)}] | [0]"
        return f'{{Action: `"UPSERT"`, ResourceRecordSet: merge({record}, {{Weight: `{weight}`}})}}'

    batch = f"{{Changes: [{change('source', 255)}, {change('target', 0)}]}}"
    return see, (
        Command(
            says="Both records as they stand, with everybody on the source; both in one change, or no instant is safe",
            text=f"{_RECORDS} --query '{batch}' --output json > weights.json",
        ),
        Command(
            says="The change",
            text='aws route53 change-resource-record-sets --hosted-zone-id "$ZONE" --change-batch file://weights.json'
            " --query ChangeInfo.Status --output text",
            prints="PENDING",
        ),
    )


def _envoy(_: Site) -> tuple[Command, tuple[Command, ...]]:
    see = Command(
        says="The weights, of 100000",
        text='curl --silent --fail "$ROUTER_ADMIN/runtime"',
        prints='… "traffic.weight.legacy": {… "final_value": "100000"} …',
    )
    return see, (
        Command(
            says="The folder that Crossfade keeps for this moment, in which everybody is on the legacy servers",
            text='ln --symbolic --no-dereference --force everybody-legacy "$ROUTER_RUNTIME/by-hand.link"',
        ),
        Command(
            says="Envoy takes it up as soon as the link is replaced, in one step",
            text='mv --no-target-directory "$ROUTER_RUNTIME/by-hand.link" "$ROUTER_RUNTIME/current"',
        ),
    )


def _argo(site: Site) -> tuple[Command, tuple[Command, ...]]:
    what = f"{shell(site.file.migration.name)} --namespace {shell(site.file.kubernetes.namespace)}"
    see = Command(
        says="Status and weight",
        text=f"kubectl argo rollouts get rollout {what}",
        prints="Status: ✖ Degraded … RolloutAborted … ActualWeight: 0",
    )
    return see, (
        Command(says="Everybody is on the old pods", text=f"kubectl argo rollouts abort {what}"),
        Command(
            says="The old version is what is wanted again; with GitOps change it in the repository instead",
            text=f"kubectl argo rollouts undo {what}",
        ),
    )


_SHARES = {RouterEngine.ROUTE53: _route53, RouterEngine.ENVOY: _envoy, RouterEngine.ARGO: _argo}
