"""`smoke`: one tiny Batch job that names the broken layer."""
