"""Source against target, row by row, under live writes."""
