#!/usr/bin/env bash
# apptainer-root.sh ROOT: a Debian root folder that holds Apptainer, for machines whose own release has none.
# Enter it with containers/testing/in-root.sh. Needs root and mmdebstrap.
set -euo pipefail
mirror=$(awk '/^URIs/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)
mmdebstrap --quiet --variant=minbase --aptopt='Acquire::Check-Valid-Until "false"' \
  --include=apptainer,ca-certificates,squashfuse,fakeroot,uidmap sid "$1" "$mirror"
cp /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs/ca-certificates.crt"
printf '127.0.0.1 localhost\n' > "$1/etc/hosts"
