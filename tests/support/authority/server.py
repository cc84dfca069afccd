"""The sandbox's server with IAM before it; started by `judged_sandbox` in a process of its own."""

import sys
from pathlib import Path

from biomodal_deploy.sandbox.server import main
from tests.support.authority.middleware import guarded

if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), middleware=guarded)
