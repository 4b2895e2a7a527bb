"""What FRR and IOS-XE say of BGP in the same words. Pure."""

from collections.abc import Iterator

from crossfade.infra.premises.router import Neighbour, Router
from crossfade.infra.tunnels import BGP_HOLD, BGP_KEEPALIVE
from crossfade.model.file.connectivity import Path


def name_of(path: Path) -> str:
    """How lists and maps of a path are called; no router has such already."""
    return "CROSSFADE-" + path.value.upper().replace("_", "-")


def session(router: Router, neighbour: Neighbour) -> Iterator[str]:
    """Below `router bgp`."""
    at = f" neighbor {neighbour.address}"
    yield f"{at} remote-as {router.amazon_asn}"
    yield f"{at} description {neighbour.name}"
    yield f"{at} timers {int(BGP_KEEPALIVE.total_seconds())} {int(BGP_HOLD.total_seconds())}"
    if neighbour.own_asn != router.asn:
        yield f"{at} local-as {neighbour.own_asn} no-prepend replace-as"


def policy(neighbour: Neighbour) -> Iterator[str]:
    """Below `address-family ipv4`: what goes out there, and what comes in with which preference."""
    at, name = f"  neighbor {neighbour.address}", name_of(neighbour.path)
    yield f"{at} activate"
    yield f"{at} route-map {name}-IN in"
    yield f"{at} route-map {name}-OUT out"
