"""The network role: the paths between the sites."""
