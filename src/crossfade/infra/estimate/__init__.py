"""What the templates cost and which quotas they need, computed from them. Pure but for the files that are read."""
