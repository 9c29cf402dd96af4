#!/usr/bin/env bash
# slurm-up.sh DIR [PORT]: a two-node Slurm of our own on loopback, its whole state in DIR.
# Prints the SLURM_CONF to use; stop it with containers/testing/slurm-down.sh DIR. PORT (default 1700) are
# the leading digits of its ports. Needs root, slurm-wlm, slurm-wlm-basic-plugins and munge.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mkdir -p "$1" && cd "$1" && pwd)
mkdir -p "$dir/state" "$dir/spool/n1" "$dir/spool/n2"
sed -e "s|@DIR@|$dir|g" -e "s|@PORT@|${2:-1700}|g" "$here/slurm.conf.in" > "$dir/slurm.conf"
export SLURM_CONF=$dir/slurm.conf
install -d -o munge -g munge -m 755 "$dir/munge"
dd if=/dev/urandom of="$dir/munge/key" bs=1024 count=1 status=none
chown munge:munge "$dir/munge/key"
chmod 400 "$dir/munge/key"
setpriv --reuid munge --regid munge --clear-groups /usr/sbin/munged --force --key-file="$dir/munge/key" \
  --socket="$dir/munge/socket" --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"
/usr/sbin/slurmctld -c -f "$SLURM_CONF"
for node in n1 n2; do /usr/sbin/slurmd -N $node -f "$SLURM_CONF"; done
for _ in $(seq 120); do
  if [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c idle)" = 2 ]; then
    echo "$SLURM_CONF"
    exit 0
  fi
  sleep 0.25
done
tail -n 20 "$dir/slurmctld.log" >&2
exit 1
