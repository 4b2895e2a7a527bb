"""What the data center's side must be set to, written from the migration file. Pure; nothing here knows the CDK."""
