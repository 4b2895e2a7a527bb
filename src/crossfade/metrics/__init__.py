"""The metrics role: counts of both arms for the judge."""
