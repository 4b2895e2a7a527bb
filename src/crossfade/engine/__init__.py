"""The loop: observe, decide, record, act; after a crash it goes on where the journal and the world say it stopped."""
