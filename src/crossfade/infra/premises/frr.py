"""BGP for a router that runs Linux: FRR. Pure. Source: FRR user guide, BGP and route maps."""

from collections.abc import Iterator

from crossfade.infra.premises.bgp import name_of, policy, session
from crossfade.infra.premises.document import Document, blank
from crossfade.infra.premises.router import Neighbour, Router
from crossfade.infra.routing import Announcement
from crossfade.model.file.connectivity import Path


def frr(router: Router) -> Document:
    """What stands in frr.conf: each path has its own list of what it announces, and its own preference."""
    lines = [
        "! To /etc/frr/frr.conf, or line by line into vtysh; bgpd must be switched on in /etc/frr/daemons.",
        "frr defaults traditional",
        "!",
        f"ip prefix-list CROSSFADE-AWS seq 5 permit {router.aws_network}",
        *(line for announcement in router.announcements for line in _lists(announcement)),
        *(line for announcement in router.announcements for line in _maps(announcement)),
        f"router bgp {router.asn}",
        f" bgp router-id {router.address}",
        " ! what is announced need not stand in the routing table as the very same prefix",
        " no bgp network import-check",
        *(line for neighbour in router.neighbours for line in _neighbour(router, neighbour)),
        " address-family ipv4 unicast",
        "  ! AWS answers over one tunnel: so do we",
        "  maximum-paths 1",
        *(f"  network {prefix}" for prefix in router.announced),
        *(line for neighbour in router.neighbours for line in policy(neighbour)),
        " exit-address-family",
        "exit",
    ]
    return Document(path="linux/frr.conf", text="\n".join(lines) + "\n", secret=router.direct_connect is not None)


def _lists(announcement: Announcement) -> Iterator[str]:
    for number, prefix in enumerate(announcement.prefixes, start=1):
        yield f"ip prefix-list {name_of(announcement.path)}-OUT seq {5 * number} permit {prefix}"


def _maps(announcement: Announcement) -> Iterator[str]:
    name = name_of(announcement.path)
    yield f"route-map {name}-IN permit 10"
    yield " match ip address prefix-list CROSSFADE-AWS"
    yield f" set local-preference {announcement.local_preference}"
    yield "exit"
    yield f"route-map {name}-OUT permit 10"
    yield f" match ip address prefix-list {name}-OUT"
    yield "exit"
    yield "!"


def _neighbour(router: Router, neighbour: Neighbour) -> Iterator[str]:
    yield from session(router, neighbour)
    if neighbour.path is Path.DIRECT_CONNECT:
        yield f" neighbor {neighbour.address} password {blank('direct-connect-bgp-key')}"
