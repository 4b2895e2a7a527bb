"""Which server a name, an address, an id or a MAC belongs to."""

from collections.abc import Iterable

from crossfade.planning.inventory.layout import Fragment
from crossfade.planning.inventory.records import Server


class Directory:
    """Looks servers up. What several servers share belongs to none of them."""

    def __init__(self, servers: Iterable[Server]) -> None:
        self._by: dict[str, dict[str, str | None]] = {"name": {}, "short": {}, "address": {}, "id": {}}
        names = set()
        for server in servers:
            names.add(server.name.casefold())
            for name in (*server.other_names, *server.host_names):
                self._enter("name", name.casefold(), server.name)
            for name in (server.name, *server.other_names, *server.host_names):
                self._enter("short", name.casefold().partition(".")[0], server.name)
            for address in server.addresses:
                self._enter("address", address, server.name)
            for known in server.ids:
                self._enter("id", known, server.name)
        for server in servers:  # a server's own name is its own, whoever else is called so
            self._by["name"][server.name.casefold()] = server.name

    def _enter(self, table: str, key: str, server: str) -> None:
        known = self._by[table].setdefault(key, server)
        if known != server:
            self._by[table][key] = None

    def named(self, name: str) -> str | None:
        """The server called so, in full or by the first label of its name."""
        key = name.casefold().rstrip(".")
        if key in self._by["name"]:
            return self._by["name"][key]
        return self._by["short"].get(key) if "." not in key else None

    def at(self, address: str) -> str | None:
        return self._by["address"].get(address)

    def with_id(self, known: str) -> str | None:
        return self._by["id"].get(known)

    def of_fragment(self, fragment: Fragment) -> str | None:
        """The server that a fragment of another kind is about: by its id, its name or its address."""
        values = fragment.values
        found = [self.with_id(known) for known in values.get("ids", ())]
        found.append(self.named(values["server"]) if "server" in values else None)
        found.append(self.at(values["address"]) if "address" in values else None)
        return next((server for server in found if server is not None), None)

    @staticmethod
    def told_by(fragment: Fragment) -> str | None:
        """What a fragment calls its server, whether or not one is known by it."""
        told = fragment.values.get("server") or fragment.values.get("address")
        return None if told is None else str(told)
