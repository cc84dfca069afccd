"""Whether a bucket is fit to hold Terraform states."""
