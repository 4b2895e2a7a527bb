"""From templates to stacks that stand in an account, and back to nothing."""
