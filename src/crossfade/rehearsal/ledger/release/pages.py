"""The web tier: the pages that customers see."""

import json
from html import escape
from typing import Any

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui;max-width:44rem;margin:2rem auto;padding:0 1rem}}
table{{border-collapse:collapse;width:100%}}td,th{{text-align:left;padding:.3rem;border-bottom:1px solid #ddd}}
.n{{text-align:right;font-variant-numeric:tabular-nums}}</style></head>
<body><h1>{title}</h1>
{content}
</body></html>
"""


def account_page(account_json: str) -> bytes:
    """An account with its latest entries."""
    account: dict[str, Any] = json.loads(account_json)
    rows = "".join(
        f"<tr><td>{escape(entry['booked_at'][:19])}</td><td>{entry['transfer']}</td>"
        f'<td class="n">{escape(entry["amount"])}</td><td class="n">{escape(entry["balance"])}</td></tr>'
        for entry in account["entries"]
    )
    content = (
        f"<p>{escape(account['customer'])} · {escape(account['kind'])}</p>"
        f"<p>Balance <strong>{escape(account['balance'])} {escape(account['currency'])}</strong>,"
        f" available {escape(account['available'])}</p>"
        f'<table><tr><th>Booked</th><th>Transfer</th><th class="n">Amount</th><th class="n">Balance</th></tr>'
        f"{rows}</table>"
    )
    return _FRAME.format(title=f"Account {escape(account['number'])}", content=content).encode()


def statement_page(number: int, body: bytes) -> bytes:
    """A statement's document, framed."""
    content = f"<pre>{escape(body.decode('utf-8', 'replace'))}</pre>"
    return _FRAME.format(title=f"Statement {number}", content=content).encode()
