"""Dependencies between what is in the inventory: ends become servers, directions are settled, repetitions one."""

from dataclasses import dataclass

from crossfade.planning.inventory.collection import MOST_PLACES, Collection, Repeated
from crossfade.planning.inventory.directory import Directory
from crossfade.planning.inventory.layout import Values
from crossfade.planning.inventory.records import Conflict, Dependency, End, Kind, Place, Problem

FIRST_GIVEN = 32_768  # from here on Linux gives ports to those who ask; Windows from 49152 on
_PRIVILEGED = 1_024
_UNCLEAR = "both ends may be the one that answers"
_REMEDY = "list what is listened on too (`ss -tnap` instead of `ss -tnp`), or write it as our plain CSV"
_DETAILS = ("protocol", "source_process", "destination_process", "latency_ms")


def linked(collection: Collection, directory: Directory, conflicts: list[Conflict]) -> tuple[Dependency, ...]:
    """Every dependency once. Ends that no server is known for are kept as they were told."""
    linking = _Linking(collection, directory, conflicts)
    found: dict[tuple[object, ...], _Joined] = {}
    for repeated in collection.dependencies:
        values, is_known = linking.directed(repeated)
        source, destination = linking.end(values, "source", repeated), linking.end(values, "destination", repeated)
        details = tuple(values.get(name) for name in _DETAILS)
        key = (source, destination, values.get("port"), *details, is_known)
        joined = found.setdefault(key, _Joined(source, destination, values, is_known))
        joined.add(repeated)
    return tuple(joined.dependency() for joined in found.values())


@dataclass(slots=True)
class _Joined:
    source: End
    destination: End
    values: Values
    is_known: bool
    connections: int = 0
    volume_bytes: int | None = None
    places: tuple[Place, ...] = ()

    def add(self, repeated: Repeated) -> None:
        self.connections += repeated.connections
        if repeated.volume_bytes is not None:
            self.volume_bytes = (self.volume_bytes or 0) + repeated.volume_bytes
        self.places = (*self.places, *repeated.places)[:MOST_PLACES]

    def dependency(self) -> Dependency:
        return Dependency(
            source=self.source,
            destination=self.destination,
            port=self.values.get("port"),
            connections=self.connections,
            volume_bytes=self.volume_bytes,
            direction_known=self.is_known,
            places=self.places,
            **{name: self.values[name] for name in _DETAILS if name in self.values},
        )


class _Linking:
    def __init__(self, collection: Collection, directory: Directory, conflicts: list[Conflict]) -> None:
        self._collection, self._directory, self._conflicts = collection, directory, conflicts
        self._processes = {
            (known, pid): name
            for fragment, _ in collection.of(Kind.SERVER)
            for pid, name in fragment.values.get("process_ids", ())
            for known in fragment.values.get("ids", ())
        }

    def directed(self, repeated: Repeated) -> tuple[Values, bool]:
        """The values with source and destination, and whether it is known which is which."""
        values = dict(repeated.fragment.values)
        if "agent" in values:
            self._attribute(values)
        if "local_address" not in values:
            return values, bool(values.pop("direction_known", True))
        answers = self._answers(values)
        near, far = ("peer", "local") if answers == "local" else ("local", "peer")
        told: Values = {
            "source_address": values[f"{near}_address"],
            "destination_address": values[f"{far}_address"],
            "port": values[f"{far}_port"],
            "protocol": values["protocol"],
        }
        if "local_process" in values:
            told["destination_process" if answers == "local" else "source_process"] = values["local_process"]
        if answers is None:
            place = repeated.fragment.place
            self._collection.problems.append(
                Problem(
                    source=place.source, sheet=place.sheet, row=place.row, column="", problem=_UNCLEAR, remedy=_REMEDY
                )
            )
        return told, answers is not None

    def _answers(self, values: Values) -> str | None:
        """The end that answers: the one that is listened on, or else the one whose port those who ask are not given."""
        ports = {end: values[f"{end}_port"] for end in ("local", "peer")}
        listened = self._collection.listened
        for ends in (
            [end for end, port in ports.items() if (values[f"{end}_address"], port) in listened],
            [end for end, port in ports.items() if end == "local" and ("*", port) in listened],
            [end for end, port in ports.items() if port < FIRST_GIVEN],
            [end for end, port in ports.items() if port < _PRIVILEGED],
        ):
            if len(ends) == 1:
                return ends[0]
        return None

    def _attribute(self, values: Values) -> None:
        """A process is that of the agent's own server: on the side whose address the server has."""
        known = f"ads-agent:{values.pop('agent')}"
        process = self._processes.get((known, values.pop("pid", "")))
        server = self._directory.with_id(known)
        if process and server:
            for side in ("source", "destination"):
                if self._directory.at(values[f"{side}_address"]) == server:
                    values[f"{side}_process"] = process

    def end(self, values: Values, side: str, repeated: Repeated) -> End:
        name, address = values.get(f"{side}_name"), values.get(f"{side}_address")
        application = values.get(f"{side}_application")
        by_name = self._directory.named(name) if name else None
        by_address = self._directory.at(address) if address else None
        if by_name and by_address and by_name != by_address:
            places = tuple(repeated.places)
            told = {f"{name} is {by_name}": places, f"{address} is {by_address}": places}
            self._conflicts.append(Conflict(name=str(name), column=side, told=told))
            return End(told=name, address=address, application=application)
        server = by_name or by_address
        if server is not None:
            return End(server=server, application=application)
        return End(told=name, address=address, application=application)
