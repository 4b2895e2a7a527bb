"""The map as one HTML page that stands for itself: its only script is its own, and no request leaves it."""

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from crossfade.planning.applications.records import ApplicationMap, Certainty, NodeKind
from crossfade.planning.dependency_map.arrangement import arranged
from crossfade.planning.dependency_map.picture import Card, Picture
from crossfade.planning.dependency_map.svg import LONE
from crossfade.planning.dependency_map.wording import line_in_words, size_in_words

_PACKAGE = "crossfade.planning.dependency_map"
_NUMBERS = re.compile(r"(\d{1,9})")
_WITHIN_SCRIPT = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def as_page(picture: Picture, found: ApplicationMap, *, title: str, notes: tuple[str, ...] = ()) -> str:
    """All cards and all flows; the same input gives the same bytes.

    The page allows no source but itself, and of scripts the one with the hash that stands in it: what a name from an
    inventory says is text, and would not run even if it were not.
    """
    whole = arranged(picture)
    script = files(_PACKAGE).joinpath("templates/map.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        _environment()
        .get_template("map.html.j2")
        .render(
            title=title,
            picture=whole,
            columns=whole.columns,
            lone=LONE,
            size_in_words=size_in_words,
            words=_SURE_IN_WORDS,
            facts=_facts(found),
            environments=sorted({name for card in whole.cards for name in card.environments}),
            waves=sorted({name for card in whole.cards for name in card.waves}, key=by_number),
            applications=sorted(
                ((card.title, n) for n, card in enumerate(whole.cards) if card.kind is NodeKind.APPLICATION)
            ),
            notes=(*found.notes, *notes),
            data=json.dumps(_data(whole), separators=(",", ":")).translate(_WITHIN_SCRIPT),
            script=script,
            script_hash=digest,
        )
    )


_SURE_IN_WORDS = {
    Certainty.TOLD: "told",
    Certainty.LIKELY: "likely",
    Certainty.POSSIBLE: "possible",
    Certainty.UNKNOWN: "not known",
}


def _facts(found: ApplicationMap) -> tuple[tuple[str, str], ...]:
    servers = sum(len(application.members) for application in found.applications)
    apart = sum(not service.applications for service in found.services)
    return (
        ("applications", f"{len(found.applications):,}"),
        ("servers in them", f"{servers:,}"),
        ("servers shared by many", f"{apart:,}"),
        ("flows between applications", f"{len(found.between_applications):,}"),
        ("ends outside", f"{len(found.unknown_ends):,}"),
    )


def by_number(name: str) -> tuple[tuple[str, int], ...]:
    """Sorts names as people do: wave 2 before wave 10."""
    parts = _NUMBERS.split(name)
    return tuple((parts[n], int(parts[n + 1]) if n + 1 < len(parts) else -1) for n in range(0, len(parts), 2))


def _data(picture: Picture) -> dict[str, Any]:
    """What the script needs beside the cards, which stand in the page."""
    return {
        "lines": [
            [line.source, line.destination, round(line.weight, 2), line_in_words(line)] for line in picture.lines
        ],
        "cards": [_card(card) for card in picture.cards],
    }


def _card(card: Card) -> dict[str, Any]:
    return {"kind": str(card.kind), "environments": card.environments, "waves": card.waves}


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
