# Switch the VM's idle stop on, or off for 0. Runs as root, as `sh -c TEXT idle_stop MINUTES`.
# shellcheck shell=sh
set -eu
minutes=$1
unit=biomodal-idle-stop
root=${ROOT:-} # elsewhere in tests
program=$root/usr/local/sbin/$unit
units=$root/etc/systemd/system

if [ "$minutes" = 0 ]; then
  if [ -e "$units/$unit.timer" ]; then
    systemctl disable --now "$unit.timer"
    rm -f "$units/$unit.timer" "$units/$unit.service" "$program"
    systemctl daemon-reload
  fi
  exit 0
fi

cat >"$program" <<'END'
#!/bin/sh
# Shut this VM down once nothing has run on it for so many minutes, and so stop it: EC2 takes a
# shutdown from inside as a stop. Started by biomodal-idle-stop.timer; put here by `biomodal-aws vm`.
set -u
minutes=$1
stamp=${STAMP:-/run/biomodal-idle-stop} # gone after a boot, so a start counts as work

# Nextflow, whoever is logged in by SSH or Session Manager, and containers. In brackets, so that no
# shell finds itself. What cannot be looked at counts as work.
pgrep -f 'java.*[n]extflow|[s]shd: .*@|[s]sm-session-worker' >/dev/null
idle=$?
containers=$(docker ps --quiet) || idle=0
if [ "$idle" != 1 ] || [ -n "$containers" ] || [ ! -e "$stamp" ]; then
  touch "$stamp"
elif [ -n "$(find "$stamp" -mmin "+$minutes")" ]; then
  echo "nothing has run for $minutes minutes: stopping"
  shutdown -h now
fi
END
chmod 755 "$program"
cat >"$units/$unit.service" <<END
[Unit]
Description=Stop this VM when nothing has run on it for $minutes minutes
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/$unit $minutes
END
cat >"$units/$unit.timer" <<END
[Unit]
Description=Look every five minutes whether this VM is idle
[Timer]
OnBootSec=5min
OnUnitActiveSec=5min
[Install]
WantedBy=timers.target
END
systemctl daemon-reload
systemctl enable --now "$unit.timer"
