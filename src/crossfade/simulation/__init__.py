"""The same runbook and engine in virtual time, against a model of the world, driven from one seed."""
