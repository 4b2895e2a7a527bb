import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from crossfade.journal.port import Entry
from crossfade.model import events
from crossfade.report.page import NothingToReport, ReportNotWritten, render, write_report
from crossfade.report.telling import tell
from crossfade.report.timeline import chapters
from tests.report import sample

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Reads HTML as strictly as it is meant: every element closed in order, ids unique."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(story: tuple[Entry, ...], **given: Any) -> str:
    parts: dict[str, Any] = {
        "progress": sample.progress(story),
        "result": sample.RESULT,
        "seconds": sample.seconds(story),
        "windows": [sample.window()],
    }
    return render(entries=story, **{**parts, **given})


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("story", [sample.completed(), sample.rolled_back(), sample.completed()[:1]], ids=len)
def test_every_element_is_closed_and_every_reference_holds_when_rendered(story: tuple[Entry, ...]) -> None:
    reader = read(page(story))
    assert len(reader.ids) == len(set(reader.ids))
    wanted = {value.removeprefix("#") for _, name, value in reader.attributes if name in {"href", "aria-labelledby"}}
    assert wanted <= set(reader.ids)


def test_nothing_is_fetched_and_nothing_runs_when_opened() -> None:
    html = page(sample.completed())
    reader = read(html)
    assert {value[0] for _, name, value in reader.attributes if name in {"href", "src"}} == {"#"}
    assert not re.search(r"https?:|//|url\(|@import", html)
    assert "<script" not in html
    assert not any(name.startswith("on") for _, name, _ in reader.attributes)
    assert "default-src 'none'" in html


def test_each_decision_stands_with_its_evidence_when_rendered() -> None:
    story = sample.completed()
    texts = "".join(read(page(story)).texts)
    for entry in story:
        told = tell(entry)
        assert told.bare in texts
        for label, value in told.evidence:
            assert label in texts
            assert value in texts
        assert entry.hash[:12] in texts


def test_every_entry_stands_in_one_chapter_when_told() -> None:
    story = sample.rolled_back()
    told = chapters(story)
    assert [position for chapter in told for position in (m.position for m in chapter.record)] == [
        entry.position for entry in story
    ]
    assert [chapter.title for chapter in told][-2:] == ["canary", "roll back"]
    assert told[-1].retreat


def test_repeated_looks_are_only_in_the_record_when_told() -> None:
    canary = next(chapter for chapter in chapters(sample.completed()) if chapter.title == "canary")
    assert not any("says hold" in moment.text for moment in canary.moments)
    assert any("says hold" in moment.text for moment in canary.record)


def test_hostile_text_stays_text_when_it_is_in_the_journal() -> None:
    evil = '<script>alert("1")</script>"\'><img src=x onerror=y>{{ 7*7 }}'
    story = sample.completed()
    held = next(entry for entry in story if isinstance(entry.event, events.Held))
    poisoned = tuple(
        replace(entry, by=evil, event=events.Held(reason=evil)) if entry is held else entry for entry in story
    )
    html = page(poisoned, result={**sample.RESULT, "final_primary": evil})
    reader = read(html)
    assert "<script>" not in html
    assert "<img" not in html
    assert "49" not in "".join(text for text in reader.texts if "7*7" in text)
    assert any(evil in text for text in reader.texts)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "Of 27,377 writes that users got acknowledged, none lost, none doubled."),
        ({"lost_writes": 2}, "2 lost, none doubled"),
        ({"write_unavailable_ms": [41.3, 88.0]}, "each switch: 41.3 ms, 88 ms"),
        ({"write_unavailable_ms": []}, "writes did not move"),
        ({"detection_requests": 2311}, "2,311 requests"),
        ({"rollback_ms": 84.2}, "84.2 ms"),
        ({"resumes": 3}, "resumed 3 times"),
        ({"resumes": 1, "engine_log": "engine.log"}, "resumed once; the engine&#39;s log lies beside this report"),
    ],
)
def test_summary_says_it_when_the_result_has_it(change: dict[str, object], said: str) -> None:
    assert said in page(sample.completed(), result={**sample.RESULT, **change})


def test_broken_promise_is_told_in_words_when_a_write_is_lost() -> None:
    html = page(sample.completed(), result={**sample.RESULT, "lost_writes": 1})
    assert html.count("not as promised") == 1
    assert '<header class="page bad">' in html
    assert '<header class="page good">' in page(sample.completed())


def test_numbers_are_missing_not_zero_when_the_result_is_empty() -> None:
    html = page(sample.completed(), result={}, progress=(), seconds=(), windows=())
    assert html.count("not recorded") >= 6
    assert "as promised" not in html
    assert 'id="switches"' not in html


def test_each_plot_has_its_values_in_words_when_it_cannot_be_seen() -> None:
    reader = read(page(sample.completed()))
    labels = [value for tag, name, value in reader.attributes if tag == "svg" and name == "aria-label"]
    assert len(labels) == 8
    assert all(re.search(r"\d", label) for label in labels)
    assert "".join(reader.texts).count("Values as a table") == 7


def test_bytes_are_the_same_when_written_again(tmp_path: Path) -> None:
    story = sample.completed()
    for name in ("one/report.html", "two/report.html"):
        write_report(
            tmp_path / name,
            entries=story,
            progress=sample.progress(story),
            result=sample.RESULT,
            seconds=sample.seconds(story),
            windows=[sample.window()],
        )
    first, second = (tmp_path / name for name in ("one/report.html", "two/report.html"))
    assert first.read_bytes() == second.read_bytes()
    assert first.stat().st_size < 400_000


def test_old_report_stays_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("crossfade.durable.os.fsync", full)
    with pytest.raises(ReportNotWritten, match="No space left") as failure:
        write_report(path, entries=sample.completed(), progress=(), result={}, seconds=(), windows=())
    assert failure.value.remedy
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_says_so_when_there_is_nothing_to_report(tmp_path: Path) -> None:
    with pytest.raises(NothingToReport) as failure:
        write_report(tmp_path / "report.html", entries=(), progress=(), result={}, seconds=(), windows=())
    assert failure.value.remedy
    assert list(tmp_path.iterdir()) == []
