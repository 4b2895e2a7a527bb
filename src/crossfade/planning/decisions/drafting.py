"""A record drafted from a matrix: what was weighed, what came out, what it gives up, and what would turn it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from crossfade.planning.decisions.matrix import Matrix, leaders, ranking
from crossfade.planning.decisions.record import Record, Section, Status
from crossfade.planning.decisions.sensitivity import ShiftTurn, WeightTurn, shift_turns, tie_breakers, weight_turns
from crossfade.planning.markdown import one_line

_MOST_SHIFTS = 3


def said(number: Fraction) -> str:
    """To two places, without zeros that say nothing: 7, 6.5, 6.67; what is smaller than that, to two digits: 1e-09."""
    if 0 < number < Fraction(1, 100):
        return f"{float(number):.2g}"
    return f"{float(number):.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a record says that no matrix knows. All of it may stay open while the decision is proposed."""

    context: str = ""
    deciders: tuple[str, ...] = ()
    success_criteria: tuple[str, ...] = ()
    review: date | None = None
    supersedes: tuple[int, ...] = ()


def draft(matrix: Matrix, number: int, on: date, around: Circumstances) -> Record:
    """A proposed record; people accept it once they have read it."""
    bodies = {
        "Context": [one_line(around.context) or "To be written."],
        "Options": list(_options(matrix)),
        "Decision": list(_decision(matrix)),
        "Trade-offs": list(_trade_offs(matrix)) or ["None by these factors."],
        "What would turn it": list(turned(matrix)),
        "Success criteria": [f"- {one_line(one)}" for one in around.success_criteria],
    }
    return Record(
        number=number,
        title=one_line(matrix.title),
        status=Status.PROPOSED,
        decided=on,
        deciders=tuple(one_line(name).replace(",", ";") for name in around.deciders),
        review=around.review,
        supersedes=around.supersedes,
        opening="\n",
        sections=tuple(
            Section(heading=heading, body="".join(f"{line}\n" for line in ["", *lines, ""]))
            for heading, lines in bodies.items()
        ),
    )


def turned(matrix: Matrix) -> Iterator[str]:
    """What would turn the decision, as lines of a list."""
    if len(leaders(matrix)) > 1:
        for factor, names in tie_breakers(matrix).items():
            yield f"- More weight on {factor} favours {_all(names)}."
        return
    turns, total = weight_turns(matrix), matrix.total_weight
    for turn in turns:
        yield f"- {say_turn(turn, total)}"
    deaf = [factor.name for factor in matrix.factors if factor.name not in {turn.factor for turn in turns}]
    if deaf:
        yield f"- No weight of {_all(tuple(deaf))} turns it."
    for shift in shift_turns(matrix)[:_MOST_SHIFTS]:
        yield f"- {say_shift(shift, total)}"


def say_turn(turn: WeightTurn, total: Fraction) -> str:
    """One sentence: `time: above 9.5 instead of 4 (43 % instead of 18 %), lift-and-shift leads.`"""
    shares = f"{_percent(turn.at, total + turn.change)} instead of {_percent(turn.weight, total)}"
    if not turn.beyond:
        level = f"{_all(turn.rivals)} {'draws' if len(turn.rivals) == 1 else 'draw'} level"
        return f"{turn.factor}: left out altogether, {level}; nothing turns it."
    side = "above" if turn.change > 0 else "below"
    return (
        f"{turn.factor}: {side} {said(turn.at)} instead of {said(turn.weight)} ({shares}), {_all(turn.rivals)} leads."
    )


def say_shift(shift: ShiftTurn, total: Fraction) -> str:
    """One sentence about weight that moves from a factor to another."""
    return (
        f"More than {said(shift.amount)} of weight ({_percent(shift.amount, total)} of all) from {shift.source} to"
        f" {shift.target}: {_lead(shift.rivals)}."
    )


def _options(matrix: Matrix) -> Iterator[str]:
    for option in matrix.options:
        yield f"- **{option.name}**" + (f": {one_line(option.says)}" if option.says else "")
    yield ""
    yield f"| factor | weight | {' | '.join(option.name for option in matrix.options)} |"
    yield f"| --- | ---: | {' | '.join('---:' for _ in matrix.options)} |"
    for factor in matrix.factors:
        scores = " | ".join(said(option.scores[factor.name].value) for option in matrix.options)
        yield f"| {factor.name} | {said(factor.weight)} | {scores} |"
    standings = {standing.option: said(standing.score) for standing in ranking(matrix)}
    yield f"| **score** | | {' | '.join(standings[option.name] for option in matrix.options)} |"
    reasons = [
        f"- {option.name}, {name} {said(score.value)}: {one_line(score.because)}"
        for option in matrix.options
        for name, score in option.scores.items()
        if score.because
    ]
    if reasons:
        yield ""
        yield from reasons


def _decision(matrix: Matrix) -> Iterator[str]:
    first, standings = leaders(matrix), ranking(matrix)
    if len(first) > 1:
        yield f"A tie: {_all(first)} score {said(standings[0].score)} each. The matrix does not decide; people do."
        return
    second = [standing for standing in standings if standing.place == 2]
    yield (
        f"**{first[0]}**, with {said(standings[0].score)} of 10, before"
        f" {_all(tuple(standing.option for standing in second))} with {said(second[0].score)}."
    )


def _trade_offs(matrix: Matrix) -> Iterator[str]:
    """Where another option is better than what was chosen."""
    for name in leaders(matrix):
        chosen = matrix.option(name)
        for factor in matrix.factors:
            best = max(matrix.options, key=lambda option: option.scores[factor.name].value)
            ours, theirs = chosen.scores[factor.name], best.scores[factor.name]
            if theirs.value > ours.value:
                why = f": {one_line(ours.because)}" if ours.because else ""
                yield f"- {name} gives up {factor.name} ({said(ours.value)}; {best.name} has {said(theirs.value)}){why}"


def _lead(names: tuple[str, ...]) -> str:
    return f"{_all(names)} {'leads' if len(names) == 1 else 'lead'}"


def _all(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _percent(part: Fraction, whole: Fraction) -> str:
    return f"{float(100 * part / whole):.0f} %"
