"""Migration Hub's progress update stream as a resource of CloudFormation, which has no type for it."""
