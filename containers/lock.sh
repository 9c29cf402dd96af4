#!/usr/bin/env bash
# lock.sh: resolve the container's packages anew and write their versions and hashes to
# containers/requirements-{full,slim,build}.lock. Needs `uv` (pip install uv) and a package index.
# The full lock is resolved first; the slim one takes the same versions.
set -euo pipefail
cd "$(dirname "$0")/.."
resolve() {
  uv pip compile --quiet --python-version 3.12 --generate-hashes --only-binary :all: --no-header --no-annotate --upgrade "$@"
}
resolve pyproject.toml --extra app --extra robust -o containers/requirements-full.lock
resolve pyproject.toml --extra robust --constraint containers/requirements-full.lock -o containers/requirements-slim.lock
printf 'hatchling>=1.25\nuv\n' | resolve - -o containers/requirements-build.lock
