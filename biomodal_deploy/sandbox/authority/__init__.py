"""IAM in the sandbox: every call of an IAM user is authorized as AWS does it, and can be recorded.

moto's own enforcement judges actions against the resource `*` and takes no conditions, so a policy
that names its resources is refused everything. Here a call becomes what AWS authorizes (actions on
ARNs, with condition keys), judged by the user's own policies.
"""

from biomodal_deploy.sandbox.authority.door import RECORD_VARIABLE, Authority, guarded
from biomodal_deploy.sandbox.authority.record import RecordedCall, read_record

__all__ = ["RECORD_VARIABLE", "Authority", "RecordedCall", "guarded", "read_record"]
