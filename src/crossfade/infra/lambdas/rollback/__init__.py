"""Alarm in, weights back, event recorded, people told."""
