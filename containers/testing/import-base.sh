#!/usr/bin/env bash
# import-base.sh BASE.tar: give the engine at DOCKER_HOST the stand-in as python:3.12-slim-bookworm.
set -euo pipefail
/usr/bin/docker import \
  --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin' \
  --change 'ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt' \
  --change 'CMD ["python3"]' "$1" python:3.12-slim-bookworm
