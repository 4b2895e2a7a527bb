"""What a difference that verification finds after the cutover means for going back: docs/adr/0009."""

from crossfade.model import ends
from crossfade.model.events import EndMissed
from crossfade.model.terms import Side

_SHOWN = 3  # the others stand in the journal, beside the verification


def found_different(missed: EndMissed) -> bool:
    """Rows differ while the target takes writes. What merely could not be compared is tried again."""
    return isinstance(missed.end, ends.DataVerified) and missed.end.primary is Side.TARGET and not missed.retryable


def could_not_compare(missed: EndMissed) -> bool:
    """Nobody knows whether rows differ while the target takes writes."""
    return isinstance(missed.end, ends.DataVerified) and missed.end.primary is Side.TARGET and missed.retryable


def loses_nothing(differing: EndMissed) -> bool:
    """Every row that differs stands on both sides, and neither has written it since the switch: the source is right."""
    return all(differing.facts.get(name) == 0 for name in ("written_since_switch", "age_unknown", "unresolved"))


def would_be_lost(differing: EndMissed) -> int:
    """How many rows were surely written on the target since the cutover, and are not so on the source."""
    written = differing.facts.get("written_since_switch")
    return written if isinstance(written, int) else 0


def why_refused(differing: EndMissed) -> str:
    """Why nobody may go back now, and what to do instead."""
    return (
        f"{would_be_lost(differing)} rows written since the cutover are not on the source, and would be lost;"
        " copy them to the source, release the hold so that everything is verified again, then roll back"
    )


def in_words(differing: EndMissed) -> str:
    """What was found, what a rollback would mean, and what else can be done."""
    lost, facts = would_be_lost(differing), differing.facts
    named = [str(facts[name]) for name in facts if name.startswith("difference ")]
    rows = "; ".join(named[:_SHOWN]) + (" …" if len(named) > _SHOWN else "")
    means = (
        f"{lost} of them were written since the cutover and are not on the source: a rollback would lose them, and is"
        " refused until they are there"
        if lost
        else "Whether a side has written them since the cutover cannot be told: after a rollback the source's version"
        " stands"
    )
    return (
        f"{differing.reason}{f' ({rows})' if rows else ''}. {means}."
        " The target goes on taking writes. Mend the rows by hand and release, to verify again"
    )
