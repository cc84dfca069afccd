"""Which permissions a stack needs, compiled from what it will make.

block   a resource or data block of the synthesized stack, its names evaluated as far as they are
        known before a plan (`expressions.py`, `stack.py`)
grant   what Terraform calls for a kind of block, in which phase: `plan`, `apply` (it is created),
        `update`, `destroy`; on which resources, under which condition (`data/services`, read by
        `catalog.py`)
need    a grant filled in with a block's names: one action on its ARNs (`needs.py`)
policy  needs that share resources and conditions, as IAM's JSON or Terraform (`policies.py`), or
        the other way round: whether given policies allow each need (`check.py`, `evaluate.py`)
"""
