"""A notice as people read it, and as programs do."""

from crossfade.notify.port import Notice, Topic

_MARKS = {Topic.PHASE: "phase", Topic.ERROR: "ERROR", Topic.COMPLETION: "done"}
_LONGEST_SUBJECT = 150


def subject(notice: Notice) -> str:
    """One line of at most 150 printable characters: safe as a mail header or a line on a terminal."""
    line = plain(f"[{notice.migration}] {_MARKS[notice.topic]}: {notice.title}")
    return line if len(line) <= _LONGEST_SUBJECT else f"{line[: _LONGEST_SUBJECT - 1]}…"


def body(notice: Notice) -> str:
    """The text, and below it what identifies the notice. Ends with a line break."""
    text = "\n".join(plain(line) for line in notice.text.splitlines())
    about = f"{notice.at.isoformat(timespec='seconds')} · migration {plain(notice.migration)} · event {notice.position}"
    return f"{text}\n\n-- \n{about}\n" if text else f"{about}\n"


def payload(notice: Notice) -> dict[str, str | int]:
    """For programs; `text` alone is what chat receivers show."""
    return {
        "version": 1,
        "key": key(notice),
        "migration": notice.migration,
        "position": notice.position,
        "at": notice.at.isoformat(),
        "topic": notice.topic.value,
        "title": notice.title,
        "text": f"{subject(notice)}\n{notice.text}".rstrip(),
    }


def key(notice: Notice) -> str:
    """The same for every attempt to deliver the same notice, and for no other: receivers drop repetitions by it."""
    return f"{notice.migration}:{notice.position}"


def plain(text: str) -> str:
    """Printable characters only, on one line: neither a terminal nor a header is told to do anything else."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
