"""The stack as a picture: every planned resource, its action by shape, sign and colour."""
