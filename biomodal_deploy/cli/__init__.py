"""The command line: one module a command, each of which reads options and hands over."""
