"""What is deployed: one module a stack, composed of constructs, provider, backend and outputs."""

# Before any module here imports an AWS binding: this makes that import cost 40 s less.
import biomodal_aws  # noqa: F401
