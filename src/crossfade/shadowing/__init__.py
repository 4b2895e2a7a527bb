"""The role that collects what control and candidate answer to mirrored requests."""
