"""One module a command, named after it.

Heavy imports stand inside the functions, so that `--help` is quick.
"""
