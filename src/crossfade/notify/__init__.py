"""The notify role: telling people."""
