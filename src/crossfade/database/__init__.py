"""The database role: replication, the switch of the one writer, and the way back."""
