"""One module a stack, cut by lifetime and owner (ADR 12)."""
