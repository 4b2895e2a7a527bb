"""The server role: legacy servers and their twins."""
