"""One module a command, named after it; `cli/app.py` imports the one that runs."""
