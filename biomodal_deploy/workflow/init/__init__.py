"""A new stack or project: its answers, and the files that they become."""
