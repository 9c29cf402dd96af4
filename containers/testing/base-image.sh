#!/usr/bin/env bash
# base-image.sh OUT.tar: a stand-in for the official python:3.12-slim-bookworm image, for machines that
# cannot pull from a registry. Made of Debian packages and a CPython 3.12 already on the machine.
# Import it with containers/testing/import-base.sh. Needs root and mmdebstrap.
# PYTHON_PREFIX: installation prefix of that CPython (default: looked for with pyenv).
set -euo pipefail
out=$1
prefix=${PYTHON_PREFIX:-}
if [ -z "$prefix" ]; then
  version=$(pyenv versions --bare | grep -E '^3\.12\.[0-9]+$' | tail -n 1)
  prefix=$(pyenv prefix "$version")
fi
minor=$("$prefix/bin/python3" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
[ "$minor" = 3.12 ] || { echo "base-image.sh: expected CPython 3.12 in $prefix, found $minor" >&2; exit 2; }
mirror=$(awk '/^URIs/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mmdebstrap --quiet --variant=minbase \
  --include=ca-certificates,netbase,tzdata,libssl3,libffi8,libsqlite3-0,libbz2-1.0,liblzma5,libreadline8,libncursesw6,zlib1g,libuuid1,libexpat1,libgdbm6 \
  bookworm "$work/root.tar" "$mirror"
root=$work/root
mkdir "$root"
tar -C "$root" --exclude='./dev/*' -xf "$work/root.tar"
library=$root/usr/local/lib/python$minor
mkdir -p "$library/site-packages"
cp -a "$prefix/bin/python$minor" "$root/usr/local/bin/"
cp -a "$prefix"/lib/libpython* "$root/usr/local/lib/" 2>/dev/null || true
tar -C "$prefix/lib/python$minor" --exclude=./test --exclude=./site-packages --exclude=__pycache__ \
  --exclude='./config-*' --exclude=./idlelib --exclude=./turtledemo -c . | tar -C "$library" -x
ln -sf "python$minor" "$root/usr/local/bin/python3"
ln -sf python3 "$root/usr/local/bin/python"
# This machine's certificates and package sources: in the stand-in only, never in the shipped Dockerfile.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
rm -f "$root/etc/apt/sources.list"
cp /etc/apt/sources.list.d/debian.sources "$root/etc/apt/sources.list.d/"
chroot "$root" ldconfig
chroot "$root" /usr/local/bin/python -m ensurepip --default-pip > /dev/null
tar -C "$root" --numeric-owner -cf "$out" .
