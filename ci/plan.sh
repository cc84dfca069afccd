#!/usr/bin/env bash
# Plan one stack for review: a report, and the sealed plan, encrypted for the job that applies it.
#
# Takes from the environment
#   STACK            the stack's name
#   PLAN_PASSPHRASE  what the sealed plan is encrypted with: a plan file holds secrets in clear
#   PLAN_STORE       set where the stack's plan_store takes the sealed plan, and no passphrase does
#   ALLOW_DESTROY    addresses of protected objects that may be lost, separated by spaces
# Writes to ci/out/STACK
#   report.md, report.html  for the reviewer, without secrets
#   counts.json, junit.xml  for GitLab's widgets
#   plan.sarif              for GitHub's code scanning
#   plan.env                the sealed plan's id and digest, and whether it changes something
#   plan.tar.enc            the sealed plan, where it does; not with PLAN_STORE
# Exit status: as `biomodal-aws plan`, so 0 with and without changes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${STACK:?STACK is not set: name the stack}"
if [[ ! $STACK =~ ^[A-Za-z0-9_][A-Za-z0-9_.-]*$ ]]; then # part of the paths below
  printf 'error: STACK: %q is no name of a stack\n' "$STACK" >&2
  exit 64
fi
[[ -n ${PLAN_STORE:-} ]] || : "${PLAN_PASSPHRASE:?PLAN_PASSPHRASE has to be set: docs/ci.md says how}"
umask 077 # the sealed plan is refused where others could read it
out="ci/out/$STACK"
rm -rf "$out"
mkdir -p "$out"
# A comment is found again by its first line.
mark="<!-- biomodal-aws plan: $STACK -->"

words=(--stack "$STACK" --readonly-lock --detailed-exitcode)
set -f # an address may hold a star
for address in ${ALLOW_DESTROY:-}; do
  words+=(--allow-destroy "$address")
done
set +f

status=0
biomodal-aws plan "${words[@]}" --output json >"$out/plan.json" || status=$?
if [[ $status != [023] ]]; then
  printf '%s\n\n**%s could not be planned.** The log of the job says why.\n' \
    "$mark" "$STACK" >"$out/report.md"
  python3 ci/tell.py plan "$out" || true
  exit "$status"
fi

python3 ci/tell.py plan "$out"
# shellcheck source=/dev/null
source "$out/plan.env"
# What is left in the clear goes with the job, also where the machine stays.
trap 'rm -rf "plans/$STACK/$PLAN_ID"' EXIT

biomodal-aws show "$PLAN_ID" --stack "$STACK" --sarif "$out/plan.sarif" --junit "$out/junit.xml"
biomodal-aws show "$PLAN_ID" --stack "$STACK" --format html --out "$out/report.html"
# GitHub takes 65,536 characters, and the lines around the report are ours.
biomodal-aws show "$PLAN_ID" --stack "$STACK" --format markdown --max-bytes 60000 --out "$out/report.body"
{
  printf '%s\n\n' "$mark"
  cat "$out/report.body"
  if [[ $status == 2 && -n ${GITHUB_RUN_ID:-} ]]; then
    cat <<EOF

Once this commit is merged, this starts the apply of exactly this plan, which then waits for approval:

    gh workflow run apply.yml -f stack=$STACK -f plan_run=$GITHUB_RUN_ID -f sha256=$PLAN_SHA256
EOF
  fi
} >"$out/report.md"
rm "$out/report.body"
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  cat "$out/report.md" >>"$GITHUB_STEP_SUMMARY"
fi

case $status in
  2)
    if [[ -n ${PLAN_STORE:-} ]]; then
      biomodal-aws plans --push "$PLAN_ID" --stack "$STACK"
      exit
    fi
    tar -C plans -cf - "$STACK/$PLAN_ID" |
      openssl enc -aes-256-cbc -pbkdf2 -iter 600000 -salt -pass env:PLAN_PASSPHRASE \
        -out "$out/plan.tar.enc"
    ;;
  3)
    # Reported, and good for nothing else.
    exit 3
    ;;
esac
