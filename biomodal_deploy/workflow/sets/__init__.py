"""Several stacks at once: each one is a command of its own, and here they are looked after.

A stack of a set is planned, applied or examined by the same command that a person would type for
it, as a child process with `--output json`. So a set can do nothing that one command cannot, a
failure in one has no way into another, and each has its own signals to stop by.
"""
