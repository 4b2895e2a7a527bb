"""Which fragments are about one server, and what shows it.

Evidence is heard from strong to weak: what one export calls one name, UUID, tools' ids, MAC, names, addresses. What
tools tell apart (see `Layout.key`, and UUIDs) is never joined, however much else agrees: it is listed as a conflict.
"""

import ipaddress
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

from crossfade.planning.inventory.layout import Fragment
from crossfade.planning.inventory.records import Conflict, Place

NAMED = "name"
_OF_DETAILS = frozenset({NAMED, "id"})  # by these a server's disks, interfaces and processes name it: no duplicates
MOST_HEADS = 8  # apart under one value; a value that more share tells nothing


@dataclass(slots=True)
class Cluster:
    """Fragments about one server. `links`: reason, value and fragment, for those that are duplicates."""

    members: list[int]
    apart: dict[str, str]
    links: list[tuple[str, str, int]] = field(default_factory=list)
    is_unclear: bool = False

    def is_apart(self, other: "Cluster") -> bool:
        less, more = sorted((self.apart, other.apart), key=len)
        return any(more.get(scope, value) != value for scope, value in less.items())


class Identities:
    """Joins fragments of servers as evidence is heard."""

    def __init__(self, fragments: list[Fragment]) -> None:
        self._fragments = fragments
        self._of = [Cluster([i], dict(fragment.apart)) for i, fragment in enumerate(fragments)]
        self.conflicts: list[Conflict] = []

    def clusters(self) -> list[Cluster]:
        """After all evidence: each server once, in the order in which it was first told."""
        for reason, evidence in (
            (NAMED, _names_in_export),
            ("UUID", _uuids),
            ("id", _ids),
            ("MAC", _macs),
            ("host name", _names),
        ):
            self._hear(reason, self._by_value(evidence))
        self._hear_short_names()
        self._hear("address", self._by_value(_addresses))
        found = {id(cluster): cluster for cluster in self._of}
        return sorted(found.values(), key=lambda cluster: min(cluster.members))

    def _by_value(self, evidence: Callable[[Fragment], Iterator[str]]) -> dict[str, list[int]]:
        by_value: dict[str, list[int]] = {}
        for i, fragment in enumerate(self._fragments):
            for value in evidence(fragment):
                by_value.setdefault(value, []).append(i)
        return {value: members for value, members in by_value.items() if len(members) > 1}

    def _hear(self, reason: str, by_value: dict[str, list[int]]) -> None:
        for value, members in by_value.items():
            heads: list[Cluster] = []
            for member in members:
                self._join_one_of(heads, self._of[member], reason, value)
            if len(heads) > 1:
                self._contradict(reason, value, heads)

    def _join_one_of(self, heads: list[Cluster], cluster: Cluster, reason: str, value: str) -> None:
        if any(cluster is head for head in heads):
            return
        fitting = [i for i, head in enumerate(heads) if not head.is_unclear and not head.is_apart(cluster)]
        unclear = next((i for i, head in enumerate(heads) if head.is_unclear), None)
        if len(fitting) == 1:
            heads[fitting[0]] = self._join(heads[fitting[0]], cluster, reason, value)
        elif len(fitting) > 1 and unclear is not None:
            heads[unclear] = self._join(heads[unclear], cluster, reason, value)
        elif len(heads) < MOST_HEADS:
            cluster.is_unclear = cluster.is_unclear or len(fitting) > 1
            heads.append(cluster)

    def _join(self, head: Cluster, cluster: Cluster, reason: str, value: str) -> Cluster:
        """The larger of the two with what both had; otherwise chains of joins would cost the square of their length."""
        later = max(min(head.members), min(cluster.members))
        is_detail = reason in _OF_DETAILS and not (head.apart and cluster.apart)
        large, small = sorted((head, cluster), key=lambda each: len(each.members), reverse=True)
        large.links += small.links
        if not is_detail:
            large.links.append((reason, value.rpartition("\0")[2], later))
        large.members += small.members
        large.apart |= small.apart
        large.is_unclear = large.is_unclear or small.is_unclear
        for member in small.members:
            self._of[member] = large
        return large

    def _hear_short_names(self) -> None:
        """A bare name is the first label of a full one, if only one full name begins with it."""
        bare: dict[str, list[int]] = {}
        full: dict[str, dict[str, int]] = {}
        for i, fragment in enumerate(self._fragments):
            for name in _names(fragment):
                label, dot, domain = name.partition(".")
                if not dot:
                    bare.setdefault(label, []).append(i)
                elif domain and " " not in name:
                    full.setdefault(label, {}).setdefault(name, i)
        for label, members in bare.items():
            names = full.get(label, {})
            heads = list({id(self._of[i]): self._of[i] for i in names.values()}.values())
            if len(names) == 1 or len(heads) == 1:
                for member in members:
                    self._join_one_of(heads, self._of[member], "host name", label)
            if len(heads) > 1:
                self._contradict("host name", label, [*heads[:MOST_HEADS], self._of[members[0]]])

    def _contradict(self, reason: str, value: str, heads: list[Cluster]) -> None:
        told = {self._called(head): self._places(head) for head in heads}
        if len(told) > 1:
            shown = value.rpartition("\0")[2]
            self.conflicts.append(Conflict(name=shown, column=f"identity ({reason})", told=told))

    def _called(self, cluster: Cluster) -> str:
        first = self._fragments[min(cluster.members)]
        apart = ", ".join(f"{value}" for _, value in sorted(cluster.apart.items()))
        name = next(_names(first), "") or next(iter(first.values.get("addresses", ())), "?")
        return f"{name} ({apart})" if apart and apart != name else name

    def _places(self, cluster: Cluster) -> tuple[Place, ...]:
        return tuple(self._fragments[i].place for i in sorted(cluster.members)[:3])


def _names_in_export(fragment: Fragment) -> Iterator[str]:
    """Rows of one export that name the same VM; an export is a workbook, or the folder of CSV files."""
    if "name" in fragment.values:
        place = fragment.place
        export = place.source if place.sheet else str(PurePath(place.source).parent)
        yield f"{export}\0{str(fragment.values['name']).casefold()}"


def _uuids(fragment: Fragment) -> Iterator[str]:
    if "uuid" in fragment.values:
        yield fragment.values["uuid"]


def _ids(fragment: Fragment) -> Iterator[str]:
    yield from fragment.values.get("ids", ())


def _macs(fragment: Fragment) -> Iterator[str]:
    for mac in fragment.values.get("mac_addresses", ()):
        if mac.strip("0:") and mac != "ff:ff:ff:ff:ff:ff":
            yield mac


def _names(fragment: Fragment) -> Iterator[str]:
    told = [
        fragment.values.get("name", ""),
        *fragment.values.get("host_names", ()),
        *fragment.values.get("other_names", ()),
    ]
    for name in dict.fromkeys(name.casefold().rstrip(".") for name in told if name):
        if name.partition(".")[0] != "localhost":
            yield name


def _addresses(fragment: Fragment) -> Iterator[str]:
    for address in fragment.values.get("addresses", ()):
        known = ipaddress.ip_address(address)
        if not (known.is_loopback or known.is_link_local or known.is_unspecified or known.is_multicast):
            yield address
