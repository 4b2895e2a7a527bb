from tests.docs.preflight_page import PREFLIGHT, preflight_page
from tests.docs.published import COMMANDS, DECISIONS, command_reference, decision_index

REGENERATE = "run: python -m tests.docs.published"


def test_command_reference_is_current_when_commands_change() -> None:
    assert COMMANDS.read_text(encoding="utf-8") == command_reference(), REGENERATE


def test_every_decision_is_listed_when_one_is_taken() -> None:
    assert DECISIONS.read_text(encoding="utf-8") == decision_index(), REGENERATE


def test_every_check_of_preflight_is_told_with_its_reason_when_checks_change() -> None:
    assert PREFLIGHT.read_text(encoding="utf-8") == preflight_page(), REGENERATE
