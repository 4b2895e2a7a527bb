"""The AWS side as code. What is decided from the migration file stands here and is pure; `stacks` turns it into CDK."""
