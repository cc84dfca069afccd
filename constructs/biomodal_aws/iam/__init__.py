"""Roles, one module each, and the permissions they are given."""
