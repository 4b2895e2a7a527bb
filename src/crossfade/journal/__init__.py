"""The journal: one ordered, hash-chained stream of events for each migration, durable before anything acts on it."""
