"""Masking by keyed hash: equal values keep equal masks, and nobody without the key can find the value again.

A plain hash of a card or phone number is reversed by trying them all; HMAC under a key per run is not.
Source: RFC 2104 (HMAC); NIST SP 800-188, 5.3 (keyed hashes as pseudonyms).
"""

import hmac
import json
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import SplitResult, urlsplit

from crossfade.shadow.numbers import Number
from crossfade.shadow.sensitive import ASSIGNED, FORMS, URL, is_sensitive

MASK = "masked:"
LEAST_KEY_BYTES = 16
_DIGITS = 12  # 48 bits: among a thousand values two share a mask once in half a billion runs
_MASKED = re.compile(rf"{MASK}[0-9a-f]{{{_DIGITS}}}")
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,30}[0-9]{0,2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Masker:
    """Masks under one key, of at least 16 bytes. The key is never shown, also not by `repr`."""

    key: bytes

    def __repr__(self) -> str:
        return "Masker(key=…)"

    def value(self, place: str, value: Any) -> str:
        """The mask of a JSON value: the same for equal values in the same place, another in another place.

        What is masked already stays as it is, so that recorded answers can be masked again.
        """
        if isinstance(value, str) and _MASKED.fullmatch(value):
            return value
        if isinstance(value, Number) and not isinstance(value, bool):
            value = f"number {Decimal(str(value)).normalize()}"  # 1 and 1.0 are equal, and so are their masks
        text = json.dumps(value, sort_keys=True, default=str)
        digest = hmac.digest(self.key, f"{place}\0{text}".encode("utf-8", "surrogatepass"), "sha256")
        return f"{MASK}{digest.hex()[:_DIGITS]}"

    def text(self, text: str) -> str:
        """A free text (of an error, a log, a comment) without what looks personal or secret.

        Masked are web addresses as `url` does it, values of sensitive names (`password=…`), e-mail addresses, tokens,
        and numbers of six digits and more. What has no such form cannot be recognised: a name in a sentence stays.
        """
        parts, end = [], 0
        for found in URL.finditer(text):
            parts += [self._plain(text[end : found.start()]), self.url(found[0])]
            end = found.end()
        return "".join((*parts, self._plain(text[end:])))

    def url(self, url: str) -> str:
        """A web address with its scheme, host and words of the path; user, values of the query and fragment are masked.

        A part of the path that is no plain word (a number, an e-mail address, a UUID) is masked as well.
        """
        try:
            split = urlsplit(url)
            host = split.hostname or ""
            port = f":{split.port}" if split.port else ""
        except ValueError:  # no address: a wrong port or bracket
            return self.value("url", url)
        path = "/".join(
            part if not part or _WORD.fullmatch(part) else self.value("url", part) for part in split.path.split("/")
        )
        user = f"{self.value('url', split.netloc.rpartition('@')[0])}@" if "@" in split.netloc else ""
        query = "&".join(self._parameter(part) for part in split.query.split("&")) if split.query else ""
        fragment = self.value("url", split.fragment) if split.fragment else ""
        host = self._plain(host)
        return SplitResult(split.scheme, f"{user}{host}{port}", path, query, fragment).geturl()

    def _parameter(self, part: str) -> str:
        name, equals, value = part.partition("=")
        shown = name if _WORD.fullmatch(name) else self.value("url", name)
        return f"{shown}{equals}{self.value('url', value) if value else ''}"

    def _plain(self, text: str) -> str:
        masked = ASSIGNED.sub(self._assigned, text)
        return FORMS.sub(lambda found: found["kept"] or self.value("text", found[0]), masked)

    def _assigned(self, found: re.Match[str]) -> str:
        name, between, value = found.groups()
        return f"{name}{between}{self.value('text', value)}" if is_sensitive(name) else found[0]
