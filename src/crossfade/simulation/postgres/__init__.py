"""A model of two PostgreSQL servers that understands the very statements of `crossfade.database`."""
