"""Records as text: nothing that people wrote is lost, whatever they wrote."""

from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossfade.planning.decisions.page import Page
from crossfade.planning.decisions.reading import record_of
from crossfade.planning.decisions.record import FieldName, Record, Section, Status, written

QUICK = settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
WORDS = st.text(alphabet="abcXYZ äß€.,'\"()*_#|<>`-", min_size=1, max_size=30)
PLAIN = WORDS.map(lambda text: " ".join(text.split())).filter(bool)
NAMES = st.text(alphabet="abcd äö.", min_size=1, max_size=12).map(lambda t: " ".join(t.split())).filter(bool)
LINES = st.one_of(
    st.sampled_from(
        ["", "```", "````", "~~~sh", "### deeper", "## Ours", "- Status: x", "| a | b |", "  ## no", "##no"]
    ),
    WORDS.map(lambda text: text.replace("#", "")),
)
DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2030, 1, 1))
NUMBERS = st.lists(st.integers(1, 9999), max_size=3, unique=True).map(tuple)
OWN = st.sampled_from(["Ticket", "Cost centre", "Informed"])


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Any lines with their fences closed and no heading outside of them."""
    lines = [line for line in draw(st.lists(LINES, max_size=6)) if not line.startswith(("## ", "`", "~", "##"))]
    fenced = draw(st.booleans())
    inside = ["```text", "## not a heading", "- Status: nothing", "```"] if fenced else []
    return "".join(f"{line}\n" for line in ["", *lines, *inside, ""])


@st.composite
def records(draw: st.DrawFn) -> Record:
    day = draw(DAYS)
    return Record(
        number=draw(st.integers(1, 9999)),
        title=draw(PLAIN),
        status=draw(st.sampled_from([one for one in Status if one is not Status.ACCEPTED])),
        decided=day,
        deciders=tuple(draw(st.lists(NAMES, max_size=3))),
        review=draw(st.none() | st.just(date(2031, 1, 1))),
        supersedes=draw(NUMBERS),
        superseded_by=draw(NUMBERS),
        more=tuple(draw(st.lists(st.tuples(OWN, PLAIN), max_size=2, unique_by=lambda pair: pair[0]))),
        opening="\n",
        sections=tuple(
            Section(heading=heading, body=draw(bodies()))
            for heading in draw(st.lists(st.sampled_from(["Context", "Options", "Ours, added"]), max_size=3))
        ),
    )


def read(text: str) -> Record:
    found = record_of(Page.of(text), "0001-x.md")
    assert isinstance(found, Record), found
    return found


@QUICK
@given(records(), st.booleans())
def test_writing_what_was_read_gives_the_same_text(record: Record, linked: bool) -> None:
    names = {n: f"{n:04}-other.md" for n in (*record.supersedes, *record.superseded_by)} if linked else {}
    text = written(record, names)
    assert read(text) == record
    assert written(read(text), names) == text


@QUICK
@given(st.lists(st.tuples(LINES, st.sampled_from(["\n", "\r\n"])), max_size=12), st.booleans())
def test_any_text_is_kept_byte_for_byte(lines: list[tuple[str, str]], cut: bool) -> None:
    text = "".join(line + end for line, end in lines)
    text = text.rstrip("\r\n") if cut else text
    page = Page.of(text)
    assert page.text == text
    sections = "".join(section.body for section in page.sections())
    assert text.endswith(sections.rpartition("\n")[2])


@QUICK
@given(records(), st.sampled_from(list(FieldName)), st.booleans())
def test_a_field_changes_alone_when_it_is_set(record: Record, name: FieldName, crlf: bool) -> None:
    text = written(record).replace("\n", "\r\n") if crlf else written(record)
    before, after = Page.of(text), Page.of(text).with_field(name, "2032-02-02")
    here = before.field(name)
    kept = [line for i, line in enumerate(before.lines) if here is None or i != here[0]]
    there = after.field(name)
    assert there is not None
    assert there[1] == "2032-02-02"
    assert [line for i, line in enumerate(after.lines) if i != there[0]] == kept
    assert after.with_field(name, "2032-02-02") == after


EDITED = """\
# 7. Aurora *or* RDS

* status:  Proposed
* Date: 2027-01-11
* Ticket: OPS-12

People wrote this paragraph, and a table:

| a | b |
| - | - |

## Options

```yaml
## no section
```

## Ours

kept   as it is
"""


def test_what_people_changed_and_added_is_read_and_kept() -> None:
    record = read(EDITED)
    assert (record.number, record.title, record.status) == (7, "Aurora *or* RDS", Status.PROPOSED)
    assert record.more == (("Ticket", "OPS-12"),)
    assert [section.heading for section in record.sections] == ["Options", "Ours"]
    assert "## no section" in record.section("Options")
    page = Page.of(EDITED).with_field(FieldName.SUPERSEDED_BY, "[9](0009-x.md)")
    assert page.text == EDITED.replace("OPS-12\n", "OPS-12\n- Superseded by: [9](0009-x.md)\n")
    assert page.with_field(FieldName.STATUS, "superseded").lines[2] == "* status: superseded\n"


def test_a_heading_is_none_while_its_block_is_open() -> None:
    text = "# 1. One\n\n````md\n```\n## within\n```\n```` \n## after\n~~~\n```\n## within\n~~~ \n## last\n"
    assert [section.heading for section in Page.of(text).sections()] == ["after", "last"]


def test_a_field_is_put_below_the_title_when_there_is_none() -> None:
    assert Page.of("# 1. One").with_field(FieldName.STATUS, "proposed").text == "# 1. One\n\n- Status: proposed\n"
