#!/usr/bin/env bash
# Look for what changed outside Terraform, in every stack or in those that STACKS names.
#
# Takes STACKS from the environment: names or a pattern, as `--stack` does; all where it is empty.
# Writes ci/out/drift/report.md, junit.xml, and status.env for GitLab's next job. Exit status: as `biomodal-aws drift`, so 2 where something drifted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
umask 077
out=ci/out/drift
rm -rf "$out"
mkdir -p "$out"
words=(--all)
if [[ -n ${STACKS:-} ]]; then
  words=(--stack "$STACKS")
fi
status=0
biomodal-aws drift "${words[@]}" --junit "$out/junit.xml" --output json >"$out/drift.json" || status=$?
word=failure
[[ $status != 0 ]] || word=success
printf 'STATUS=%s\n' "$word" >"$out/status.env"
python3 ci/tell.py drift "$out"
cat "$out/report.md"
if [[ -n ${GITHUB_STEP_SUMMARY:-} ]]; then
  cat "$out/report.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$status"
