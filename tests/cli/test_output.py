import pytest

from crossfade.cli.output import complain
from crossfade.model.errors import CrossfadeError


class Failed(CrossfadeError):
    remedy = "Do " + "this, then " * 30 + "go on."


def test_a_message_is_one_line_and_its_remedy_another_when_not_on_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    complain(Failed("it failed " * 40))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("go on.")
