"""Which permissions a stack needs, compiled from what it will make."""
