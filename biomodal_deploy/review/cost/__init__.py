"""What a plan's environment costs: idle, at its most, and for the data that it keeps."""
