"""Expand-contract: the shape of a live PostgreSQL database changes while old and new application versions use it."""
