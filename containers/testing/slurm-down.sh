#!/usr/bin/env bash
# slurm-down.sh DIR: stop the daemons that slurm-up.sh started in DIR.
set -euo pipefail
dir=$(cd "$1" && pwd)
for file in "$dir/slurmd.n1.pid" "$dir/slurmd.n2.pid" "$dir/slurmctld.pid" "$dir/munge/pid"; do
  [ -s "$file" ] || continue
  pid=$(cat "$file")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 40); do kill -0 "$pid" 2>/dev/null || break; sleep 0.25; done
done
