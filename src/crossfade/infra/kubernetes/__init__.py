"""Manifests for Argo Rollouts, written from the migration file. Pure but for what writes them to a folder."""
