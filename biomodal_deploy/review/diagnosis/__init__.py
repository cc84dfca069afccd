"""What an error of Terraform, AWS or the VM means: a named cause, its fix, the next command.

The knowledge is data, one file an area in `data/`; everything here reads, matches and tells it.
"""
