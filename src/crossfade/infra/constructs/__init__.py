"""What several stacks are made of: keys, log groups, alarms."""
