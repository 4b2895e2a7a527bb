"""What cards and lines say, in short."""

import unicodedata

from crossfade.planning.dependency_map.picture import Card, Line
from crossfade.report.units import say_bytes, say_count


def size_in_words(card: Card) -> str:
    """How many servers, how many ends that are no known server, and what of."""
    servers = sum(entry.certainty is not None for entry in card.entries)
    counts = ((servers, "server"), (len(card.entries) - servers, "end"))
    said = [f"{number:,} {what}{'' if number == 1 else 's'}" for number, what in counts if number]
    return " · ".join([*(said or ["no server known"]), *([", ".join(card.environments)] if card.environments else [])])


def line_in_words(line: Line) -> str:
    """Ports, connections, volume and the latency that is borne, as far as they are told."""
    said = []
    if line.ports:
        shown = ", ".join(str(port) for port in line.ports[:6])
        said.append(f"port {shown}{' …' if len(line.ports) > 6 else ''}")
    said.append(f"{say_count(line.connections)} connection{'' if line.connections == 1 else 's'}")
    if line.volume_bytes is not None:
        said.append(say_bytes(line.volume_bytes))
    if line.latency_ms is not None:
        said.append(f"bears {line.latency_ms:g} ms")
    if not line.direction_known:
        said.append("who asks is not known")
    return ", ".join(said)


def shortened(text: str, letters: int) -> str:
    """At most so many letters, wide ones counted twice, with a sign that some are missing."""
    taken = 0
    for place, letter in enumerate(text):
        taken += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if taken > letters:
            return f"{text[: max(1, place - 1)].rstrip()}…"
    return text
