"""JSON from strangers, read fast and never wrongly: long decimals exactly, nesting bounded, no exception but one."""

import json
import re
from decimal import Decimal
from typing import Any

from pydantic_core import from_json

MAX_DEPTH = 200
_LONG = 17  # digits and point of a decimal that may not survive as a double, which holds 15 digits
_MARKED = bytes(ord("d") if chr(code) in "0123456789." else ord("_") for code in range(256))
_LONG_DECIMAL = re.compile(rb"(?<![\d.])(?:(?=[\d.]{17})\d*\.\d|\d{16,}[eE])")


class NotJson(ValueError):
    """The text is no JSON, or nested too deep. The message says where and repeats nothing of it."""


def read_json(text: bytes) -> Any:
    """The value of a JSON text; NaN and Infinity are taken, of a key that is given twice the last value counts.

    Numbers are int or float; where a text holds a decimal of more than 15 digits, all its decimals are `Decimal`. A
    number beyond 1.8e308 is infinite. Raises NotJson for everything that cannot be read, also beyond 200 levels.
    """
    if _needs_decimals(text):
        return _slowly(text)
    try:
        return from_json(text)
    except ValueError as exc:
        if b"\\u" in text:  # half a surrogate pair is JSON by the letter (RFC 8259, 8.2), and seen in the wild
            return _slowly(text)
        raise NotJson(_shortened(str(exc))) from None


def _needs_decimals(text: bytes) -> bool:
    # Two passes in C over the text cost a tenth of one with the pattern, which then sees few texts.
    return b"d" * _LONG in text.translate(_MARKED) and _LONG_DECIMAL.search(text) is not None


def _slowly(text: bytes) -> Any:
    try:
        value = json.loads(text.decode(), parse_float=Decimal)
    except RecursionError:
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels") from None
    except json.JSONDecodeError as exc:
        raise NotJson(f"{exc.msg.lower()} at column {exc.pos + 1}") from None
    except UnicodeDecodeError as exc:
        raise NotJson(f"no UTF-8 at byte {exc.start + 1}") from None
    except (ValueError, ArithmeticError):
        raise NotJson("number out of range") from None
    if _is_deeper(value, MAX_DEPTH):
        raise NotJson(f"nested deeper than {MAX_DEPTH} levels")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    waiting = [value]
    for _ in range(levels + 1):
        inner: list[Any] = []
        for outer in waiting:
            inner.extend(outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        if not inner:
            return False
        waiting = inner
    return True


def _shortened(message: str) -> str:
    return message.replace("line 1 column", "column").replace("recursion limit exceeded", "nested too deep")
