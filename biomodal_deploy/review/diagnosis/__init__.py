"""What an error of Terraform, AWS or the VM means: a named cause, its fix, the next command.

The knowledge is data (`known_errors/data`); everything here reads logs and says what is in them.
"""
