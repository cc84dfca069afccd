# Put the sealed plan of ci/out/$STACK/plan.tar.enc, or with PLAN_STORE that of the stack's plan_store,
# into plans/, as $id in $sealed. Sourced by apply.sh and approve.sh, which say what STACK,
# PLAN_PASSPHRASE and PLAN_SHA256 are. It goes again when the script ends: what is in it holds secrets
# in clear.
# shellcheck shell=bash
unpacked=$(mktemp -d)
sealed=
trap 'rm -rf "$unpacked" ${sealed:+"$sealed"}' EXIT
if [[ -n ${PLAN_STORE:-} ]]; then
  : "${PLAN_SHA256:?PLAN_SHA256 has to be the digest that the report names}"
  biomodal-aws plans --pull "$PLAN_SHA256" --stack "$STACK" --output json >"$unpacked/pulled.json" ||
    { status=$? && cat "$unpacked/pulled.json" >&2 && exit "$status"; }
  id=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["plans"][0]["sealed_plan"])' \
    <"$unpacked/pulled.json")
  sealed="plans/$STACK/$id"
  return
fi

archive="ci/out/$STACK/plan.tar.enc"
if [[ ! -f $archive ]]; then
  echo "error: there is no $archive: the plan has expired, or a guard refused it. Plan again." >&2
  exit 64
fi

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
