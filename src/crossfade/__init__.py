"""Crossfade moves a live application between a data center and AWS, in both directions, without losing a write."""
