"""What checkov says of the stacks, and what is waived with a reason: `python -m compliance`."""
