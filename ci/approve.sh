#!/usr/bin/env bash
# Sign the sealed plan of a job, at a workstation, and print what the job that applies it is given.
#
# Takes from the environment
#   STACK            the stack's name
#   PLAN_PASSPHRASE  what the sealed plan was encrypted with; or PLAN_STORE, as for plan.sh, and
#   PLAN_SHA256      the digest that the report names
#   KEY              your SSH key; where it is not set, the one that Git signs with
# and without PLAN_STORE from ci/out/STACK the artifact plan.tar.enc. The checkout holds the settings and the signers.
# Prints the plan, and as its last line the approval: a word for APPROVALS of apply.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${STACK:?STACK is not set: name the stack}"
if [[ ! $STACK =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]]; then # part of the paths below
  printf 'error: STACK: %q is no name of a stack\n' "$STACK" >&2
  exit 64
fi
[[ -n ${PLAN_STORE:-} ]] || : "${PLAN_PASSPHRASE:?PLAN_PASSPHRASE has to be set: docs/ci.md says how}"
umask 077
# shellcheck source=ci/unpack.sh
source ci/unpack.sh
biomodal-aws show "$id" --stack "$STACK"
biomodal-aws approve "$id" --stack "$STACK" ${KEY:+--key "$KEY"} --out "$unpacked/approval.json"
gzip -9c "$unpacked/approval.json" | base64 | tr -d '\n'
echo
