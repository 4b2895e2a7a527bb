"""Decisions: options weighed by factors, what would turn the result, and records that people edit."""
