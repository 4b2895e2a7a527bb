"""The rules that the runbook keeps, as code: fed with what happened, one thing at a time, they answer with violations.

`checkers` has them rule by rule, in the order and with the words of the design; `story` is their short memory of the
journal. Nothing here asks `decide` or `evolve`: a fault of theirs must not hide itself.
"""

from crossfade.invariants.rules import Rule, Rules, Violation, broken_rules, broken_rules_over

__all__ = ["Rule", "Rules", "Violation", "broken_rules", "broken_rules_over"]
