"""Life after the apply: how it is, the way to the machine, and what Nextflow has to know of it."""
