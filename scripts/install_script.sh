#!/bin/bash
# The VM's start-up script: Java 21, Docker and basic utilities on Ubuntu 22.04.
#
# cloud-init runs it once, as root, on the first boot; what it prints is in
# /var/log/cloud-init-output.log. It can be run again at any time, by root or by a user with sudo.
#
# SSH_USER            who connects to the VM and shall use Docker without sudo
# DOCKER_SOCKET_MODE  666 lets every process on the VM use Docker at once, and so become root.
#                     660 leaves Docker to root and the group "docker"; members use it after
#                     their next login.
set -euo pipefail
set -o errtrace # the trap below holds inside functions too

SSH_USER="${SSH_USER:-ubuntu}"
DOCKER_SOCKET_MODE="${DOCKER_SOCKET_MODE:-666}"
ACTUAL_USER="$(whoami)"

PACKAGES=(
  ca-certificates     # SSL/TLS certificates for secure connections
  curl                # Command line tool for data transfer
  gnupg               # GNU Privacy Guard for encryption/signing
  lsb-release         # Linux Standard Base release information
  openjdk-21-jdk      # Java Development Kit version 21
  apt-transport-https # HTTPS transport for apt
  wget                # Network downloader
  unzip               # Archive extraction utility
)

say() {
  echo "biomodal install: $*"
}

STEP="the beginning"
step() {
  STEP="step $1"
  say "$STEP"
}

# Names the step and the line below that started what failed, not the helper it failed in.
failed() {
  say "FAILED with status $1 at line ${BASH_LINENO[${#BASH_LINENO[@]} - 2]}, in ${STEP}" >&2
}
trap 'failed "$?"' ERR

as_root() {
  if [[ "$ACTUAL_USER" == root ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

# On the first boot the system's own daily update may hold apt's locks, and package mirrors may
# not answer yet. sudo drops the environment, so env gives apt its variable.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@"
}

# By itself apt-get update reports success although an index could not be fetched.
update_repositories() {
  local pause
  for pause in 2 4 8 16; do
    if apt_get -o APT::Update::Error-Mode=any update; then
      return
    fi
    say "apt-get update failed; next attempt in ${pause} s"
    sleep "$pause"
  done
  apt_get -o APT::Update::Error-Mode=any update
}

add_to_docker_group() {
  say "adding user $1 to the docker group"
  as_root usermod -aG docker "$1"
}

# The SSH user of an image other than Ubuntu's own has another name, but the first user's number.
find_ssh_user() {
  if id -u "$SSH_USER" >/dev/null 2>&1; then
    echo "$SSH_USER"
  else
    getent passwd 1000 | cut -d: -f1
  fi
}

step "1/5: updating package repositories"
update_repositories

step "2/5: installing system packages: ${PACKAGES[*]}"
apt_get install -y "${PACKAGES[@]}"
say "package installation completed"

step "3/5: installing Docker"
apt_get install -y docker.io

step "4/5: starting the Docker service, now and on every boot"
as_root systemctl start docker
as_root systemctl enable docker

step "5/5: configuring Docker permissions"
if [[ "$ACTUAL_USER" == root ]]; then
  say "running as root, which needs no docker group"
else
  add_to_docker_group "$ACTUAL_USER"
fi
# cloud-init runs this as root, so the SSH user would never be added otherwise.
DOCKER_USER="$(find_ssh_user || true)"
if [[ -z "$DOCKER_USER" ]]; then
  say "there is no user ${SSH_USER}; add one later with: sudo usermod -aG docker USER"
elif [[ "$DOCKER_USER" != "$ACTUAL_USER" && "$DOCKER_USER" != root ]]; then
  add_to_docker_group "$DOCKER_USER"
fi
as_root chmod "$DOCKER_SOCKET_MODE" /var/run/docker.sock
say "Docker installation completed"

say "all installations completed successfully"
