"""MGN's replication template as a resource of CloudFormation, which has no type for it."""
