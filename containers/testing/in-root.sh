#!/usr/bin/env bash
# in-root.sh ROOT FOLDER COMMAND...: run a command with ROOT as root file system and FOLDER of this machine
# at the same path inside, in namespaces of its own where it may build and run Apptainer images.
set -euo pipefail
root=$(cd "$1" && pwd)
folder=$(cd "$2" && pwd)
shift 2
export root folder
exec unshare --mount --propagation private bash -euc '
  mount --bind "$root" "$root"
  mkdir -p "$root$folder" "$root/old"
  mount --bind "$folder" "$root$folder"
  for part in dev sys; do mount --rbind "/$part" "$root/$part"; done
  mount --rbind /proc "$root/proc"
  cp /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
  cd "$root"
  pivot_root . old
  umount -l /old
  cd "$folder"
  exec env PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root unshare -U --map-users 0:0:65536 --map-groups 0:0:65536 "$@"
' in-root "$@"
