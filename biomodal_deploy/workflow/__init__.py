"""What the commands do, as functions that return typed results; nothing in here prints."""
