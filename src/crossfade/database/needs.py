"""What logical replication needs of a server's settings, on each side. Pure."""

FREE_SLOTS, FREE_SENDERS, WORKERS = 6, 6, 4
"""Of `max_replication_slots` and `max_wal_senders`, not in use; of `max_logical_replication_workers`, at all."""
