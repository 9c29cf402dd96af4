#!/usr/bin/env bash
# slurm-down.sh DIR: stop the daemons that slurm-up.sh started in DIR, and the jobs they run, within seconds.
set -euo pipefail
dir=$(cd "$1" && pwd)

daemons() { # those that still run
  local file
  for file in "$dir/slurmd.n1.pid" "$dir/slurmd.n2.pid" "$dir/slurmctld.pid" "$dir/munge/pid"; do
    if [ -s "$file" ] && kill -0 "$(cat "$file")" 2>/dev/null; then cat "$file"; fi
  done
}

jobs() { # whatever runs in the session of a step daemon of ours, which outlives slurmd
  local step
  for step in $(pgrep -x slurmstepd); do
    if grep -qzxF "SLURM_CONF=$dir/slurm.conf" "/proc/$step/environ" 2>/dev/null; then pgrep -s "$(ps -o sid= -p "$step" | tr -d ' ')"; fi
  done
}

stop() { # stop WHICH SIGNAL...: send one after the other until none is left
  local signal pids
  for signal in "${@:2}"; do
    mapfile -t pids < <("$1")
    [ ${#pids[@]} -gt 0 ] || return 0
    kill -s "$signal" "${pids[@]}" 2>/dev/null || true
    for _ in $(seq 12); do kill -0 "${pids[@]}" 2>/dev/null || break; sleep 0.25; done
  done
}

stop daemons TERM KILL
stop jobs KILL
