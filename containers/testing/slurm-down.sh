#!/usr/bin/env bash
# slurm-down.sh DIR: stop the daemons that slurm-up.sh started in DIR, within seconds.
set -euo pipefail
dir=$(cd "$1" && pwd)
pids=()
for file in "$dir/slurmd.n1.pid" "$dir/slurmd.n2.pid" "$dir/slurmctld.pid" "$dir/munge/pid"; do
  [ -s "$file" ] && pids+=("$(cat "$file")")
done
[ ${#pids[@]} -gt 0 ] || exit 0
for signal in TERM KILL; do
  kill -s "$signal" "${pids[@]}" 2>/dev/null || true
  for _ in $(seq 12); do kill -0 "${pids[@]}" 2>/dev/null || exit 0; sleep 0.25; done
done
