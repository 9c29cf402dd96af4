#!/usr/bin/env bash
# finish.sh ENVIRONMENT: remove the tests that its packages ship, and compile what stays. Two runs give the same
# bytes: bytecode holds the hash of its source instead of a time. It also depends on what else its process has
# compiled, so each package has a process of its own; as many run at once as there are processors.
set -euo pipefail
rm -f "$1/.lock" # of uv
packages=$(echo "$1"/lib/python3.*/site-packages)
find "$packages" -type d -name tests -prune -exec rm -rf {} +
find "$packages" -mindepth 1 -maxdepth 1 ! -name '*.dist-info' -print0 | PYTHONHASHSEED=0 xargs -0 -n 1 -P "$(nproc)" \
  "$1/bin/python" -m compileall -q -f --invalidation-mode unchecked-hash
