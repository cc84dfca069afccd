# Put the sealed plan of ci/out/$STACK/plan.tar.enc into plans/, as $id in $sealed. Sourced by apply.sh
# and approve.sh, which say what STACK and PLAN_PASSPHRASE are. It goes again when the script ends:
# what is in it holds secrets in clear.
# shellcheck shell=bash
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
