#!/usr/bin/env bash
# dockerd-down.sh DIR: stop the engine that dockerd-up.sh started in DIR and remove its state.
set -euo pipefail
dir=$(cd "$1" && pwd)
if [ -s "$dir/docker.pid" ]; then
  pid=$(cat "$dir/docker.pid")
  kill "$pid" 2>/dev/null || true
  for _ in $(seq 80); do kill -0 "$pid" 2>/dev/null || break; sleep 0.25; done
fi
rm -rf "$dir"
