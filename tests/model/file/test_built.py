from crossfade.model.file.built import _PLANNED, not_built
from crossfade.model.file.shape import names_at
from tests.model.file.files import sound, with_values
from tests.model.file.published import EXAMPLE


def sections(text: str) -> set[str]:
    return {section.section for section in not_built(sound(text))}


def test_planned_section_is_told_when_described() -> None:
    assert {"connectivity", "database.target"} <= sections(
        with_values(connectivity__primary="vpn", database__target__version=17)
    )


def test_planned_section_is_not_told_when_left_out() -> None:
    assert sections(with_values()) == {"environment"}


def test_choice_is_told_when_it_asks_for_the_planned_one() -> None:
    assert "traffic.strategy" not in sections(with_values(traffic__strategy="canary"))
    assert "traffic.strategy" in sections(with_values(traffic__strategy="blue-green"))
    assert "shadow" not in sections(with_values(shadow__enabled=False))
    assert "shadow" in sections(with_values(shadow__enabled=True))
    assert "database.replication.engine" in sections(with_values(database__replication__engine="dms"))


def test_what_the_rehearsal_uses_is_not_told_when_described() -> None:
    told = sections(EXAMPLE.read_text(encoding="utf-8"))
    assert told.isdisjoint({"traffic", "traffic.ladder", "limits", "rehearsal", "bake", "approvals", "database.switch"})


def test_every_row_names_a_key_that_exists() -> None:
    for row in _PLANNED:
        *way, last = row.section.split(".")
        assert last in names_at(tuple(way)), row.section
        assert row.says
