"""Texts of cells as values. Functions take a text without space around it, and raise Unreadable with the reason."""

import ipaddress
import re
import unicodedata
import uuid as uuids

from crossfade.planning.inventory.records import Power

ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"})
NOTHING = frozenset({"", "-", "--", "n/a", "na", "none", "null", "nan", "unknown", "not available", "<none>"})
LONGEST_SHOWN = 40
_GROUPS = re.compile(r"[+-]?\d{1,3}([.,'’  \u00a0\u202f])\d{3}(?:\1\d{3})*")
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")
_UNIT = re.compile(r"(?P<number>.*?)\s*(?P<unit>[kmgtp]i?b|bytes?|b)", re.IGNORECASE)
_MIB_OF = {"b": 1 / 2**20, "byte": 1 / 2**20, "bytes": 1 / 2**20, "k": 1 / 1024, "m": 1.0, "g": 1024.0, "t": 2.0**20}
_MOST = 2**53  # beyond it a double no longer holds whole numbers
_TRUE, _FALSE = (
    {"true", "yes", "1", "wahr", "ja", "vrai", "oui", "y"},
    {"false", "no", "0", "falsch", "nein", "faux", "n"},
)
_POWER = {
    "poweredon": Power.ON,
    "poweredoff": Power.OFF,
    "suspended": Power.SUSPENDED,
    "on": Power.ON,
    "off": Power.OFF,
    "running": Power.ON,
    "stopped": Power.OFF,
}
_MAC = re.compile(r"[0-9a-f]{12}")
_SEPARATED = re.compile(r"[;,\s|]+")


class Unreadable(ValueError):
    """A cell cannot be what its column should hold. `str` says what it is instead."""


def shown(text: str) -> str:
    """A cell as messages show it: short, and nothing in it that a terminal would obey."""
    safe = "".join(c if c.isprintable() else "·" for c in text)
    return f"'{safe[:LONGEST_SHOWN]}{'…' if len(safe) > LONGEST_SHOWN else ''}'"


def is_nothing(text: str) -> bool:
    """Whether a cell says that nothing is known."""
    return text.casefold() in NOTHING


def text(cell: str) -> str:
    """A text in one line: whatever cannot be seen is a space."""
    seen = cell if cell.isprintable() else "".join(c if c.isprintable() else " " for c in cell)
    return unicodedata.normalize("NFC", " ".join(seen.split()))


def number(cell: str, *, whole: bool) -> float:
    """A number at least 0, as one country or another writes it.

    One sign before three digits (`4,096`, `4.096`) may group or be the decimal point. `whole` columns take the comma as
    grouping, others the point as decimal; what is left is unclear, and refused.
    """
    if cell.startswith("-"):
        raise Unreadable(f"{shown(cell)} is below 0")
    groups = _GROUPS.fullmatch(cell)
    sign = groups[1] if groups else ""
    if groups and (cell.count(sign) > 1 or sign not in ",." or (whole and sign == ",")):
        plain = cell.replace(sign, "")
    elif groups and whole == (sign == "."):
        raise Unreadable(f"{shown(cell)} may be {cell.replace(sign, '')} or {cell.replace(',', '.')}")
    elif "," in cell:
        plain = _with_point(cell)
    else:
        plain = cell
    if not plain.isascii() or not _PLAIN.fullmatch(plain):
        raise Unreadable(f"{shown(cell)} is no number")
    value = float(plain)
    if value > _MOST:
        raise Unreadable(f"{shown(cell)} is too large")
    return value


def _with_point(cell: str) -> str:
    """1.234,5 and 1,234.5 and 35,5 have one decimal sign each: the last one, if it stands once."""
    point = max(",.", key=cell.rfind)
    grouping = "," if point == "." else "."
    before, _, after = cell.rpartition(point)
    if point in before or grouping in after:
        raise Unreadable(f"{shown(cell)} is no number")
    return f"{before.replace(grouping, '')}.{after}"


def count(cell: str) -> int:
    value = number(cell, whole=True)
    if value != int(value):
        raise Unreadable(f"{shown(cell)} is no whole number")
    return int(value)


def port(cell: str) -> int:
    value = count(cell)
    if not 0 < value < 65536:
        raise Unreadable(f"{shown(cell)} is no port from 1 to 65535")
    return value


def percent(cell: str) -> float:
    """0 to 100; more than 100 is possible where cores are added up and is not what the columns mean."""
    value = number(cell.removesuffix("%").strip(), whole=False)
    if value > 100:
        raise Unreadable(f"{shown(cell)} is more than 100 percent")
    return value


def rate(cell: str) -> float:
    return number(cell, whole=False)


def mib(cell: str) -> int:
    """A size that is in MiB unless it names its unit. Tools write MB and mean MiB."""
    return _size(cell, "m")


def gib(cell: str) -> int:
    """A size that is in GiB unless it names its unit, in MiB."""
    return _size(cell, "g")


def _size(cell: str, unit: str) -> int:
    if named := _UNIT.fullmatch(cell):
        cell, unit = named["number"], named["unit"].lower()
    factor = _MIB_OF.get(unit) or _MIB_OF.get(unit[:1])
    if factor is None:
        raise Unreadable(f"{shown(cell)} has no known unit")
    return round(number(cell, whole=factor == 1.0) * factor)


def flag(cell: str) -> bool:
    known = cell.casefold()
    if known not in _TRUE | _FALSE:
        raise Unreadable(f"{shown(cell)} is neither true nor false")
    return known in _TRUE


def power(cell: str) -> Power:
    state = _POWER.get(re.sub(r"[^a-z]", "", cell.casefold()))
    if state is None:
        raise Unreadable(f"{shown(cell)} is no power state")
    return state


def address(cell: str) -> str:
    """An IP address in its shortest form; a zone or a prefix length behind it is left out."""
    try:
        return str(ipaddress.ip_address(cell.strip("[]").split("%")[0].split("/")[0]))
    except ValueError:
        raise Unreadable(f"{shown(cell)} is no IP address") from None


def addresses(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(address(part) for part in parts(cell)))


def mac(cell: str) -> str:
    digits = re.sub(r"[:.\-]", "", cell.casefold())
    if not _MAC.fullmatch(digits):
        raise Unreadable(f"{shown(cell)} is no MAC address")
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def macs(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mac(part) for part in parts(cell)))


def uuid(cell: str) -> str:
    digits = re.sub(r"[\s\-]", "", cell.casefold().removeprefix("vmware-"))
    try:
        return str(uuids.UUID(digits))
    except ValueError:
        raise Unreadable(f"{shown(cell)} is no UUID") from None


def parts(cell: str) -> tuple[str, ...]:
    """Several values in one cell, with whatever stands between them."""
    return tuple(part for part in _SEPARATED.split(cell.strip("[]")) if part)


def list_of(cell: str) -> tuple[str, ...]:
    """Several names in one cell where a comma stands between them too, as the tool's documentation has it."""
    return tuple(dict.fromkeys(text(part) for part in re.split(r"[,;|\n]", cell) if part.strip()))


def names(cell: str) -> tuple[str, ...]:
    """Several names in one cell, between semicolons or bars; names have spaces and commas in them."""
    return tuple(dict.fromkeys(text(part) for part in re.split(r"[;|\n]", cell) if part.strip()))
