"""The migration as data: its file, what is wanted, what was seen, what happened. Pure: no clock, no input or output."""
