"""The catalog of known errors as data, and how it is matched."""
