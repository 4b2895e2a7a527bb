"""What is personal is replaced by a keyed hash, whatever it stands in."""

import json
import time
from typing import Any

import pytest

from crossfade.shadow import FieldTree, Masker, Rules, masked_answer
from crossfade.shadow.answers import compare
from crossfade.shadow.sensitive import is_sensitive
from tests.shadow.answers import JSON, MASKER, answer, settings

MARKS = ("jo.doe@example.org", "4111111111111111", "hunter2secret", "+1 555 010 9999", "DE89370400440532013000")


def stored(body: Any, headers: dict[str, Any] | None = None, **told: Any) -> Any:
    tree = FieldTree(Rules.of(settings(**told)))
    return masked_answer(answer(body, headers=JSON if headers is None else headers), tree, MASKER)


def test_equal_values_have_equal_masks_in_one_place_under_one_key() -> None:
    assert MASKER.value("a", "x") == MASKER.value("a", "x")
    assert MASKER.value("a", 1) == MASKER.value("a", 1.0)
    masks = {MASKER.value("a", "x"), MASKER.value("a", "y"), MASKER.value("b", "x"), MASKER.value("a", 1)}
    assert len(masks | {MASKER.value("a", "1"), Masker(key=b"another key, long enough").value("a", "x")}) == 6


def test_a_mask_stays_as_it_is_when_it_is_masked_again() -> None:
    mask = MASKER.value("a", "x")
    assert MASKER.value("b", mask) == mask
    assert MASKER.text(f"of {mask}, said twice") == f"of {mask}, said twice"
    assert "jo" not in MASKER.value("a", "masked:jo")  # who writes the word is not excused


def test_the_key_is_not_shown() -> None:
    assert "key for tests" not in repr(MASKER) + str(MASKER)


@pytest.mark.parametrize("mark", MARKS)
def test_a_text_loses_what_is_personal(mark: str) -> None:
    texts = (
        f"duplicate key (email)=({mark}) violates unique constraint",
        f"password={mark}",
        f'{{"token": "{mark}"}}',
        f"GET https://jo:{mark}@example.org/users/{mark}?q={mark}#{mark} failed",
        f"Authorization: Bearer {mark}",
    )
    for text in texts:
        masked = MASKER.text(text)
        assert mark not in masked, masked
    assert MASKER.text(texts[0]).startswith("duplicate key")


def test_a_text_keeps_what_helps() -> None:
    for text in ("timeout after 30 s at 2026-01-02T03:04:05Z", "status 503 of https://example.org/v1/orders"):
        assert MASKER.text(text) == text


def test_an_address_keeps_host_and_words_alone() -> None:
    masked = MASKER.url("https://jo:pw@example.org:8443/users/4711/orders?page=2&x#top")
    assert masked.startswith("https://masked:")
    assert "@example.org:8443/users/masked:" in masked
    assert "/orders?page=masked:" in masked
    for secret in ("jo:", "pw", "4711", "page=2", "top"):
        assert secret not in masked
    assert MASKER.url("http://[broken").startswith("masked:")


@pytest.mark.parametrize(
    "name", ["email", "E-Mail", "customerEmail", "card_number", "iban", "Authorization", "X-API-Key", "pin", "lastName"]
)
def test_names_are_sensitive_whoever_wrote_the_settings(name: str) -> None:
    assert is_sensitive(name)


@pytest.mark.parametrize("name", ["amount", "currency", "status", "items", "content-type", "spinner", "filename2"])
def test_other_names_are_not_sensitive(name: str) -> None:
    assert not is_sensitive(name)


@pytest.mark.parametrize("mark", MARKS)
def test_nothing_personal_is_stored_when_an_answer_is_masked(mark: str) -> None:
    body = {
        "customer": {"email": mark, "name": {"first": mark, "more": [mark]}},
        "note": f"password: {mark}",
        "own": mark,
        "by": {mark: 1},
        "link": f"https://example.org/a?b={mark}",
        "account": 4111111111111111,
        "amount": 12.5,
    }
    headers = {"Content-Type": "application/json", "Set-Cookie": [f"a={mark}", mark], "X-Trace": f"token={mark}"}
    for told in (body, json.dumps(body), f"plain {mark}"):
        written = json.dumps(stored(told, headers, mask_fields=("own", "by.*"), maps=("by",)))
        assert mark not in written, written
        assert "4111111111111111" not in written
    kept = stored(body, mask_fields=("own",))
    assert kept["body"]["amount"] == 12.5
    assert kept["body"]["link"].startswith("https://example.org/a?b=masked:")


def test_masked_answers_differ_where_the_answers_did() -> None:
    tree = FieldTree(Rules.of(settings()))
    left = answer({"email": "a@example.org", "phone": "1", "amount": 1, "rows": [{"iban": "x"}]})
    right = answer({"email": "b@example.org", "phone": "1", "amount": 1.0, "rows": [{"iban": "y"}]})
    masked, masked_too = (masked_answer(each, tree, MASKER) for each in (left, right))
    plain = {field.path for field in compare(left, right, tree)}
    assert {field.path for field in compare(masked, masked_too, tree)} == plain == {"body.email", "body.rows.*.iban"}


@pytest.mark.parametrize("unit", ["a", "a-", "1", "1 ", "1.", "a.", "a=", "eyJ-", "x@", "http://", "a1-", "token = "])
def test_a_long_text_is_masked_in_little_time(unit: str) -> None:
    """A pattern that looks at the rest of the text again and again would take minutes here."""
    began = time.process_time()
    MASKER.text(unit * (20_000 // len(unit)))
    assert time.process_time() - began < 20
