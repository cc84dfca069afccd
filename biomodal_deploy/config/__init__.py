"""What a person configures: settings, variables, backends, var-files."""
