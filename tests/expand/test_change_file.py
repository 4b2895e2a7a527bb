"""What is wrong with the file of a change is told all at once, each with its place and a remedy."""

import pytest

from crossfade.expand.change import ChangeFile, read_change

HEAD = "version: 1\nname: c\ntable: shop.customer\n"


def faults(text: str) -> dict[str, str]:
    found = read_change(text, "change.yaml")
    assert isinstance(found, tuple), found
    assert all(fault.remedy and fault.line for fault in found)
    return {fault.path: fault.problem for fault in found}


def test_all_faults_are_told_together_when_there_are_several() -> None:
    text = "version: 2\nname: Not A Slug\ntable: customer\nrename_column: {column: a, too: b}\nwhat: 1\n"
    assert set(faults(text)) == {"version", "name", "table", "rename_column.to", "rename_column.too", "what"}


@pytest.mark.parametrize(
    ("kind", "path", "problem"),
    [
        ("", "", "no kind of change"),
        (
            "rename_column: {column: a, to: b}\nadd_index: {name: i, columns: [a]}\n",
            "add_index",
            "2 kinds of change",
        ),
        ("rename_column: {column: a, to: a}\n", "rename_column.to", "it has already"),
        ("extract_table: {to: t, columns: [a, a]}\n", "extract_table.columns[1]", "given twice"),
        ("add_constraint: {name: c}\n", "add_constraint", "none of them"),
        ("add_constraint: {name: c, unique: [a], repair: [{column: a, up: b}]}\n", "add_constraint.repair", "no check"),
        (
            "add_constraint: {name: c, foreign_key: {columns: [a, b], references: s.t, referenced: [a]}}\n",
            "add_constraint.foreign_key.referenced",
            "another number",
        ),
        ("add_column: {column: 'a\"; DROP TABLE t; --', type: int}\n", "add_column.column", "form"),
        ("add_column: {column: a, type: 'int; DROP TABLE t'}\n", "add_column.type", "form"),
    ],
)
def test_a_fault_is_told_at_its_place_when_values_do_not_fit_together(kind: str, path: str, problem: str) -> None:
    found = faults(HEAD + kind)
    assert list(found) == [path]
    assert problem in found[path]


def test_the_same_change_has_the_same_digest_when_only_what_may_be_dropped_is_added() -> None:
    text = HEAD + "rename_column: {column: a, to: b}\n"
    plain, listed, other = (read_change(each, "") for each in (text, text + "drops: [i]\n", text.replace("b}", "d}")))
    assert isinstance(plain, ChangeFile) and isinstance(listed, ChangeFile) and isinstance(other, ChangeFile)  # noqa: PT018 - narrows three
    assert plain.digest == listed.digest != other.digest
