"""The traffic role: which users go where."""
