"""The file role: shares kept in step."""
