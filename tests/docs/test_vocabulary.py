import ast
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.docs.documents import ROOT, Document, documents

GLOSSARY = Document(ROOT / "docs" / "glossary.md")
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TEXTS = sorted(path for kind in ("*.sql", "*.j2", "*.css") for path in (ROOT / "src").rglob(kind))
INTERFACE = [path for path in SOURCES if {"cli", "report", "notify"} & set(path.parts)]
EVERYWHERE, DOCUMENTS = "everywhere", "documents"
OF_LAG = re.compile(r"(?<!replication )(?<!replay )(?<!write )(?<!flush )\blag\b", re.IGNORECASE)
GIVEN_BY_OTHERS = re.compile(
    r"manage_master_user_password|encryption_master_key|master_key|ManageMasterUserPassword"
)  # of AWS
OF_ANALYSIS = {"metrics", "traffic", "judge", "runbook"}


@dataclass(frozen=True)
class Banned:
    words: str
    where: str

    def in_text(self, text: str) -> bool:
        spaced = re.sub(r"\s+", " ", text)
        return re.search(rf"(?<![\w-]){re.escape(self.words)}(?![\w-])", spaced, re.IGNORECASE) is not None


def table(heading: str) -> list[list[str]]:
    chapter = GLOSSARY.text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in chapter.splitlines() if line[:1] == "|"]
    return rows[2:]


BANNED = [
    Banned(word.strip(), where) for words, _, where in table("Words that are not used") for word in words.split(",")
]


def said_in(path: Path) -> str:
    """Everything of a module that is language: its strings, docstrings and comments, and its own names."""
    text = GIVEN_BY_OTHERS.sub("", path.read_text(encoding="utf-8")).replace("_", " ")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)


def strings_of(path: Path) -> list[str]:
    """Texts for people: constants with more than one word, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spoken = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    constants = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and n not in spoken]
    return [node.value for node in constants if isinstance(node.value, str) and " " in node.value.strip()]


@pytest.mark.parametrize("document", documents(), ids=str)
def test_documents_keep_to_the_vocabulary(document: Document) -> None:
    text = document.prose
    if document == GLOSSARY:
        text = text.split("## Words that are not used", 1)[0]
    assert [banned.words for banned in BANNED if banned.in_text(text)] == []


@pytest.mark.parametrize("banned", [b for b in BANNED if b.where == EVERYWHERE], ids=lambda b: b.words)
def test_code_and_messages_keep_to_the_vocabulary(banned: Banned) -> None:
    using = [path for path in (*SOURCES, *TEXTS) if banned.in_text(said_in(path))]
    assert [str(path.relative_to(ROOT)) for path in using] == []


def test_lag_says_which_when_a_person_reads_it() -> None:
    bare = [(path.name, text) for path in INTERFACE for text in strings_of(path) if OF_LAG.search(text)]
    assert bare == []


def test_pairs_are_not_mixed_when_metrics_are_analysed() -> None:
    """Control and candidate belong to shadow comparison; metric analysis has baseline and canary.

    The runbook has one module of each: `judging` and `comparing`.
    """
    modules = [
        path for path in SOURCES if OF_ANALYSIS & set(path.relative_to(ROOT).parts) and path.name != "comparing.py"
    ]
    mixed = Banned("candidate", EVERYWHERE)
    assert [str(path) for path in modules if mixed.in_text(said_in(path))] == []


def test_each_term_stands_once_with_a_source() -> None:
    terms = [term.strip("*") for term, *_ in table("Terms")]
    assert len(terms) == len({term.lower() for term in terms}) > 30
    assert [term for term, meaning, source in table("Terms") if not meaning or not source] == []
    assert not {banned.words.lower() for banned in BANNED} & {term.lower() for term in terms}
    assert {banned.where for banned in BANNED} <= {EVERYWHERE, DOCUMENTS}
    assert len(BANNED) > 20


@pytest.mark.parametrize(
    ("words", "text", "found"),
    [
        ("failback", "the Failback began", True),
        ("failback", "failbacks and my-failback", False),
        ("hard cut", "a hard\n  cut", True),
    ],
)
def test_words_are_found_when_they_stand_alone(words: str, text: str, found: bool) -> None:
    assert Banned(words, EVERYWHERE).in_text(text) is found
