#!/bin/sh
# mmdebstrap hook: what makes a Debian tree "slim": no documentation, no translations, no package lists.
# Done at the end, not by path-exclude while unpacking, which costs several seconds for each tree.
set -eu
tree=$1
find "$tree/usr/share/doc" -mindepth 1 -not -type d -not -name copyright -delete
find "$tree/usr/share/doc" -mindepth 1 -type d -empty -delete
rm -rf "$tree"/usr/share/man/* "$tree"/usr/share/locale/* "$tree"/usr/share/info/* \
    "$tree"/usr/share/groff/* "$tree"/usr/share/lintian/* "$tree"/usr/share/linda/* \
    "$tree"/var/lib/apt/lists/* "$tree"/var/cache/apt/* "$tree"/var/log/*.log "$tree"/var/log/apt
rm -f "$tree/etc/apt/preferences.d/no-usrmerge" "$tree/var/cache/ldconfig/aux-cache"
# The machine's own, for the time of the making.
rm -f "$tree/etc/hostname" "$tree/etc/resolv.conf"
# Packages that a Dockerfile installs later stay slim as well.
cat > "$tree/etc/dpkg/dpkg.cfg.d/slim" <<'CONFIG'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/man/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/info/*
path-exclude /usr/share/lintian/*
CONFIG
# … and without apt's caches, as in Debian's own image: they would be most of a layer.
cat > "$tree/etc/apt/apt.conf.d/docker-clean" <<'CONFIG'
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb || true"; };
Acquire::Languages "none";
Acquire::GzipIndexes "true";
CONFIG
