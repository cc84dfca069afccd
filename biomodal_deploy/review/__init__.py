"""What people read about a plan, a profile or an error."""
