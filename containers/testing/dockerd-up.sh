#!/usr/bin/env bash
# dockerd-up.sh DIR: a Docker engine of our own (no bridge, no iptables) with its state in DIR.
# Prints the DOCKER_HOST to use; stop it with containers/testing/dockerd-down.sh DIR. Needs root, docker.io and runc.
set -euo pipefail
dir=$(mkdir -p "$1" && cd "$1" && pwd)
env PATH=/usr/sbin:/usr/bin:/sbin:/bin setsid dockerd --host="unix://$dir/docker.sock" --data-root="$dir/data" \
  --exec-root="$dir/exec" --pidfile="$dir/docker.pid" --storage-driver="${STORAGE_DRIVER:-overlay2}" \
  --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none \
  > "$dir/dockerd.log" 2>&1 < /dev/null &
for _ in $(seq 120); do
  if /usr/bin/docker --host "unix://$dir/docker.sock" version > /dev/null 2>&1; then
    echo "unix://$dir/docker.sock"
    exit 0
  fi
  sleep 0.25
done
tail -n 20 "$dir/dockerd.log" >&2
exit 1
