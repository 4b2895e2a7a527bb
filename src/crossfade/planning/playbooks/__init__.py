"""Playbooks for going back, written down from what the runbook itself asks for at each place of a migration."""
