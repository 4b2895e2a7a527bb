"""Conditions of AnalysisTemplates, evaluated as Argo Rollouts does; only the subset that is used here.

`tests/data/argo/conditions.json` holds what the real evaluator answered.
"""

import ast
import math
import operator
import re
from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

_COMPARED: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Gt: operator.gt,
    ast.Lt: operator.lt,
    ast.GtE: operator.ge,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
}


class Phase(StrEnum):
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"


def holds(condition: str, result: Sequence[float]) -> bool:
    """Raises LookupError or ValueError where Argo's evaluator has an error."""
    return bool(_value(_parsed(condition), result))


@cache
def _parsed(condition: str) -> ast.expr:
    python = re.sub(r"!(?!=)", " not ", condition.replace("&&", " and ").replace("||", " or "))
    return ast.parse(python.strip(), mode="eval").body


def phase(metric: dict[str, Any], result: Sequence[float]) -> Phase:
    """Source: Argo Rollouts, `EvaluateResult`, where both conditions are given."""
    try:
        good, bad = (holds(metric[key], result) for key in ("successCondition", "failureCondition"))
    except (LookupError, ValueError):
        return Phase.ERROR
    if bad:
        return Phase.FAILED
    return Phase.SUCCESSFUL if good else Phase.INCONCLUSIVE


def run(metric: dict[str, Any], results: Sequence[Sequence[float]]) -> Phase | None:
    """How a metric ends after these measurements; None while it goes on. Source: `assessMetricStatus`."""
    counted = [phase(metric, result) for result in results]
    if counted.count(Phase.FAILED) > metric["failureLimit"]:
        return Phase.FAILED
    if counted.count(Phase.INCONCLUSIVE) > metric["inconclusiveLimit"]:
        return Phase.INCONCLUSIVE
    measured = sum(one is not Phase.ERROR for one in counted)
    return Phase.SUCCESSFUL if "count" in metric and measured >= metric["count"] else None


def _value(node: ast.expr, result: Sequence[float]) -> Any:  # noqa: C901  # one case for each form
    match node:
        case ast.BoolOp(op=ast.And()):
            return all(_value(one, result) for one in node.values)
        case ast.BoolOp():
            return any(_value(one, result) for one in node.values)
        case ast.UnaryOp(op=ast.Not()):
            return not _value(node.operand, result)
        case ast.UnaryOp(op=ast.USub()):
            return -_value(node.operand, result)
        case ast.Compare(ops=[op]):
            return _COMPARED[type(op)](_value(node.left, result), _value(node.comparators[0], result))
        case ast.Call(func=ast.Name(id="len")):
            return len(_value(node.args[0], result))
        case ast.Call(func=ast.Name(id="isNaN")):
            return math.isnan(_value(node.args[0], result))
        case ast.Subscript():
            return _value(node.value, result)[_value(node.slice, result)]
        case ast.Name(id="result"):
            return result
        case ast.Constant():
            return node.value
    raise ValueError(f"not understood: {ast.dump(node)}")
