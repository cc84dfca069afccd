#!/usr/bin/env bash
# Apply the sealed plan that was approved, and no other.
#
# Takes from the environment
#   STACK            the stack's name
#   PLAN_SHA256      the digest that was approved, as the report names it
#   PLAN_PASSPHRASE  what the sealed plan was encrypted with; or PLAN_STORE, as for plan.sh
#   CONFIRM          the stack's name, where the plan loses something that exists
#   APPROVALS        what ci/approve.sh printed for each person, separated by spaces
# and from ci/out/STACK what plan.sh wrote: plan.env, and plan.tar.enc. The checkout has to be the commit that was planned.
# Exit status: as `biomodal-aws apply`; 4 where it is not the plan that was approved.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${STACK:?STACK is not set: name the stack}"
if [[ ! $STACK =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]]; then # part of the paths below
  printf 'error: STACK: %q is no name of a stack\n' "$STACK" >&2
  exit 64
fi
: "${PLAN_SHA256:?PLAN_SHA256 has to be the digest that was approved}"
[[ -n ${PLAN_STORE:-} ]] || : "${PLAN_PASSPHRASE:?PLAN_PASSPHRASE has to be set: docs/ci.md says how}"
umask 077
if [[ ${PLAN_STATUS:-2} == 0 ]]; then
  echo "There is nothing to apply: $STACK was planned without changes."
  exit 0
fi
# Whoever may plan may put any plan into a store. The job that planned names its own.
if [[ -n ${PLAN_STORE:-} ]] && ! grep -qxF "PLAN_SHA256=$PLAN_SHA256" "ci/out/$STACK/plan.env"; then
  echo "error: the job that planned $STACK sealed another plan than $PLAN_SHA256." >&2
  exit 4
fi
# shellcheck source=ci/unpack.sh
source ci/unpack.sh
set -f # a word that is no approval is not the files it may match
for approval in ${APPROVALS:-}; do
  if ! { base64 -d <<<"$approval" | gzip -d >"$unpacked/approval.json"; } 2>/dev/null; then
    printf 'error: APPROVALS: %q is not what ci/approve.sh printed: give its last line, whole\n' \
      "${approval:0:40}" >&2
    exit 64
  fi
  biomodal-aws approve "$id" --stack "$STACK" --add "$unpacked/approval.json"
done
set +f

# Sealed is what the app makes of this commit. It is made again here, and has to be the same.
biomodal-aws synth
biomodal-aws apply "$id" --stack "$STACK" --expect-sha256 "$PLAN_SHA256" \
  ${CONFIRM:+--confirm "$CONFIRM"}
