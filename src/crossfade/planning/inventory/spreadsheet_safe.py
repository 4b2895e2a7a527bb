"""Cells that no spreadsheet runs, and back to what they were.

A text is dangerous where a cell may begin: at its beginning, and behind whatever some program takes for the end of a
cell. There an apostrophe is put before what would begin a formula, and before an apostrophe, so that taking one away
gives the text back. Source: OWASP, CSV Injection.
"""

import re

_BEGINNING = r"(^|[;,|\t\r\n\"])( *)"
_RUNS = "=+\\-@＝＋－＠#"  # the last begins no formula, but what spreadsheets leave for errors
_WRITE = re.compile(_BEGINNING + rf"(?=[{_RUNS}'])")
_READ = re.compile(_BEGINNING + "'")


def safe(text: str) -> str:
    """`text` as it may be written. `unsafe(safe(text)) == text` for every text."""
    return _WRITE.sub(r"\1\2'", text)


def unsafe(text: str) -> str:
    """What `safe` was given."""
    return _READ.sub(r"\1\2", text)
