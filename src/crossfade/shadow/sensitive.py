"""What is personal or secret whoever wrote the settings: names of fields and headers, and forms within texts."""

import re
from functools import lru_cache

# Compared without case, hyphens and underscores; a name is sensitive that contains one of these …
_WORDS = re.compile(
    r"""
      address | birth | geolocation | latitude | longitude | post(al)?code | street | zipcode
    | account(no|number) | bankaccount | card(holder|number) | creditcard | cv[cv] | iban | taxid
    | email | fingerprint | (first|full|given|maiden|last|sur|user)name | msisdn | mobile | (tele)?phone
    | licen[cs]e | nationalid | passport | socialsecurity | ssn
    | apikey | authorization | bearer | cookie | credential | csrf | jwt | pass(wd|word|phrase) | privatekey | secret
    | sessionid | token | xsrf
    """,
    re.VERBOSE,
)
# … or is one of these.
_NAMES = re.compile("account|auth|card|city|dob|ip|key|lat|lng|lon|name|owner|pan|pin|pwd|session|user|zip")
_HEADERS = re.compile("forwarded|referer|www-authenticate|x-forwarded-for|x-real-ip|x-user-id")

# No pattern here may look twice at the rest of a long text: lengths are bounded, or a run is entered at its start only.
URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,15}://[^\s\"'<>]+", re.IGNORECASE)
FORMS = re.compile(
    r"""
      (?P<kept>masked:[0-9a-f]{12}\b                                # what is masked already
        | \b\d{4}-\d\d-\d\d[T\ ]\d\d:\d\d[\d:.,]*(?:Z|[+-]\d\d:?\d\d)?)  # instants
    | [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*                  # e-mail addresses
    | (?<![\w-])eyJ[\w-]+\.[\w-]+\.?[\w-]*                          # JSON web tokens
    | (?<=\bbearer\ )\S+ | (?<=\bbasic\ )\S+                        # credentials of HTTP
    | \b[A-Z]{2}\d{2}(?:\ ?[A-Z0-9]{3,4}){3,8}\b                    # IBANs
    | (?<![\w.])\+?\d(?:[\ ()./-]{0,2}\d){5,}                       # numbers of cards, phones, accounts; dates of birth
    | (?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{16,}            # keys, tokens, UUIDs
    """,
    re.VERBOSE | re.IGNORECASE,
)
# `password=…`, `"token": "…"`, and what PostgreSQL says of keys: `(email)=(…)`
ASSIGNED = re.compile(
    r"""\b([A-Za-z][\w-]{1,40})([)\]"']?\s{0,4}[:=]\s{0,4}["'(\[]?)((?:bearer\s|basic\s)?[^\s"',;&})\]]+)""",
    re.IGNORECASE,
)


@lru_cache(maxsize=4096)
def is_sensitive(name: str) -> bool:
    """Whether a field or a header of this name holds what nobody should read in a report."""
    lower = name.lower()
    plain = lower.replace("-", "").replace("_", "")
    return bool(_WORDS.search(plain) or _NAMES.fullmatch(plain) or _HEADERS.fullmatch(lower))
