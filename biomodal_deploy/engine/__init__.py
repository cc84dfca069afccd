"""Child processes: Terraform, the app, and the programs that both need."""
