"""Planning a migration from what is known of the data center."""
