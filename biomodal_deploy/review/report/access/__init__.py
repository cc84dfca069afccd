"""Who gains and who loses access by a plan, element by element."""
