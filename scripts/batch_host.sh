#!/bin/bash
# The start-up script of a Batch host (Amazon Linux 2023): the AWS command line for tasks.
#
# Nextflow mounts it into each task's container, so images need none of their own. It has to bring
# its Python along, as AWS's own installer does and the system's package does not. Tell Nextflow:
#
#   aws.batch.cliPath = '/opt/aws-cli/bin/aws'
#
# A host that cannot download it still runs tasks whose images have it.
set -uo pipefail

TARGET=/opt/aws-cli
ARCHIVE="https://awscli.amazonaws.com/awscli-exe-linux-$(uname -m).zip"

install_aws_cli() {
  local folder
  folder="$(mktemp -d)" || return
  # Bounded: the ECS agent starts after this script, also where nothing leads to the internet.
  curl --fail --silent --show-error --location --retry 3 --retry-delay 2 \
    --connect-timeout 10 --max-time 300 --output "$folder/aws.zip" "$ARCHIVE" &&
    (command -v unzip >/dev/null || dnf install -y --quiet unzip) &&
    unzip -q "$folder/aws.zip" -d "$folder" &&
    "$folder/aws/install" --install-dir "$TARGET" --bin-dir "$TARGET/bin"
  local status=$?
  rm -rf "$folder"
  return "$status"
}

if install_aws_cli; then
  echo "biomodal batch host: $("$TARGET/bin/aws" --version)"
else
  echo "biomodal batch host: no AWS command line in $TARGET; tasks need their own" >&2
fi
