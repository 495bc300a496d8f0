#!/bin/sh
# mmdebstrap hook, on the fresh tree before it is slimmed: take what the lab needs beside the image itself.
# $1: the tree; OUT (environment): where it goes.
#   OUT/changelogs/  Debian changelogs of the tree's packages and of the packages the tests install on top
#   OUT/nginx/       nginx, a static busybox and the libraries they load: the body of the made-up Alpine root
set -eu
tree=$1
packages="busybox-static nginx-light curl ca-certificates"
mkdir -p "$OUT/changelogs" "$OUT/nginx" "$tree/tmp/extra" "$tree/tmp/archives/partial"

# Installed on top of the base by the tests (curl, ca-certificates), so their fixes must be known too.
chroot "$tree" apt-get install -qq -y --no-install-recommends --download-only \
    -o Dir::Cache::archives=/tmp/archives/ -o Debug::NoLocking=1 $packages >/dev/null
for deb in "$tree"/tmp/archives/*.deb; do dpkg-deb -x "$deb" "$tree/tmp/extra"; done

for doc in "$tree"/usr/share/doc/* "$tree"/tmp/extra/usr/share/doc/*; do
    [ -f "$doc/changelog.Debian.gz" ] || continue
    cp -f "$doc/changelog.Debian.gz" "$OUT/changelogs/$(basename "$doc").gz"
done

cp "$tree/tmp/extra/bin/busybox" "$OUT/nginx/busybox"
cp "$tree/tmp/extra/usr/sbin/nginx" "$OUT/nginx/nginx"
cp "$tree/tmp/extra/etc/nginx/mime.types" "$OUT/nginx/mime.types"
chroot "$tree" env LD_LIBRARY_PATH=/tmp/extra/usr/lib/x86_64-linux-gnu:/tmp/extra/lib/x86_64-linux-gnu \
    ldd /tmp/extra/usr/sbin/nginx | sed -n 's/.*[[:space:]]\(\/[^ ]*\) (.*/\1/p' | sort -u |
    while read -r library; do cp -L "$tree$library" "$OUT/nginx/"; done
rm -rf "$tree/tmp/extra" "$tree/tmp/archives"
