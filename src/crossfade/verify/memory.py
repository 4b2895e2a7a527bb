"""A verifier for tests of whoever asks one."""

from datetime import timedelta

from crossfade.model.seen import Difference, Verification
from crossfade.model.terms import NoData, Side


class MemoryVerifier:
    """Compares two dictionaries of rows: `rows[side][table][key] = values`. Without connection it answers NO_DATA."""

    def __init__(self) -> None:
        self.rows: dict[Side, dict[str, dict[str, object]]] = {Side.SOURCE: {}, Side.TARGET: {}}
        self.unresolved: tuple[str, ...] = ()
        self.unreachable: Side | None = None
        self.asked: list[Side] = []

    def verify(self, primary: Side) -> Verification | NoData:
        self.asked.append(primary)
        if self.unreachable is not None:
            return NoData(reason=f"the {self.unreachable} server cannot be reached: connection refused")
        source, target = self.rows[Side.SOURCE], self.rows[Side.TARGET]
        tables = sorted(source.keys() | target.keys())
        return Verification(
            tables=len(tables),
            rows=sum(len(rows) for rows in self.rows[primary].values()),
            differences=tuple(d for t in tables for d in _differences(t, source.get(t, {}), target.get(t, {}))),
            unresolved=self.unresolved,
            duration=timedelta(0),
        )


def _differences(table: str, source: dict[str, object], target: dict[str, object]) -> list[Difference]:
    kinds = dict.fromkeys(source.keys() - target.keys(), "missing")
    kinds |= dict.fromkeys(target.keys() - source.keys(), "extra")
    kinds |= {key: "changed" for key in source.keys() & target.keys() if source[key] != target[key]}
    return [Difference(table=table, key=key, kind=kind) for key, kind in sorted(kinds.items())]
