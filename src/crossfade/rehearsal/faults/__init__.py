"""Faults that a rehearsal can be given: what they are, where they strike, and how they are brought about."""
