#!/usr/bin/env bash
# Apply the sealed plan that was approved, and no other.
#
# Takes from the environment
#   STACK            the stack's name
#   PLAN_SHA256      the digest that was approved, as the report names it
#   PLAN_PASSPHRASE  what the sealed plan was encrypted with
#   CONFIRM          the stack's name, where the plan loses something that exists
# and from ci/out/STACK what plan.sh wrote. The checkout has to be the commit that was planned.
# Exit status: as `biomodal-aws apply`; 4 where it is not the plan that was approved.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${STACK:?STACK is not set: name the stack}"
: "${PLAN_SHA256:?PLAN_SHA256 has to be the digest that was approved}"
: "${PLAN_PASSPHRASE:?PLAN_PASSPHRASE has to be set: docs/ci.md says how}"
umask 077
if [[ ${PLAN_STATUS:-2} == 0 ]]; then
  echo "There is nothing to apply: $STACK was planned without changes."
  exit 0
fi
archive="ci/out/$STACK/plan.tar.enc"
if [[ ! -f $archive ]]; then
  echo "error: there is no $archive: the plan has expired, or a guard refused it. Plan again." >&2
  exit 64
fi

unpacked=$(mktemp -d)
sealed=
trap 'rm -rf "$unpacked" ${sealed:+"$sealed"}' EXIT
if ! openssl enc -d -aes-256-cbc -pbkdf2 -iter 600000 -pass env:PLAN_PASSPHRASE -in "$archive" |
  tar -C "$unpacked" --no-same-owner -xpf -; then
  echo "error: $archive was changed, or PLAN_PASSPHRASE is not the one it was encrypted with." >&2
  exit 4
fi
found=("$unpacked/$STACK"/*)
id=$(basename "${found[0]}")
if [[ ${#found[@]} != 1 || ! $id =~ ^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}$ ]]; then
  echo "error: $archive does not hold one sealed plan of $STACK." >&2
  exit 4
fi
if [[ -e plans/$STACK/$id ]]; then
  echo "error: $id is here already, in plans/$STACK: an apply of it was begun." >&2
  exit 4
fi
mkdir -p "plans/$STACK"
sealed="plans/$STACK/$id"
mv "$unpacked/$STACK/$id" "$sealed"

# Sealed is what the app makes of this commit. It is made anew here, and has to be the same.
biomodal-aws synth
biomodal-aws apply "$id" --stack "$STACK" --expect-sha256 "$PLAN_SHA256" \
  ${CONFIRM:+--confirm "$CONFIRM"}
