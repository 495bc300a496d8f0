"""A made-up Alpine root with nginx; nothing in it is Alpine's but the form.

busybox, nginx and its libraries are Debian's; `/etc/alpine-release` and the apk database are for Trivy.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from bot.process import run
from deploy.lab.images import Layer, file, folder, link, pack

VERSION: Final = "3.21"
# Package → version in the stale and in the fresh root. The database entries that fit are in trivydb.py.
STALE: Final[Mapping[str, str]] = {
    "alpine-baselayout": "3.6.8-r1",
    "busybox": "1.37.0-r12",
    "libcrypto3": "3.3.3-r0",
    "libexpat": "2.6.4-r0",
    "libssl3": "3.3.3-r0",
    "libxml2": "2.13.4-r3",
    "musl": "1.2.5-r8",
    "pcre2": "10.43-r0",
    "zlib": "1.3.1-r2",
}
FRESH: Final[Mapping[str, str]] = {
    **STALE,
    "libcrypto3": "3.3.5-r0",
    "libexpat": "2.7.0-r0",
    "libssl3": "3.3.5-r0",
    "libxml2": "2.13.4-r6",
    "musl": "1.2.5-r9",
}
ORIGINS: Final[Mapping[str, str]] = {"libcrypto3": "openssl", "libssl3": "openssl", "libexpat": "expat"}
_LIBRARIES: Final = "lib/x86_64-linux-gnu"
_LOADER: Final = "ld-linux-x86-64.so.2"
_NGINX_UID: Final = 101
_PASSWD: Final = b"root:x:0:0:root:/root:/bin/sh\nnginx:x:101:101:nginx:/var/cache/nginx:/sbin/nologin\n"
_GROUP: Final = b"root:x:0:\nnginx:x:101:\n"
_NGINX_CONF: Final = b"""user nginx;
pid /run/nginx.pid;
events {}
http {
    include /etc/nginx/mime.types;
    server {
        listen 80;
        root /usr/share/nginx/html;
    }
}
"""


def root(parts: Path, packages: Mapping[str, str], release: str) -> Layer:
    """The whole root as one layer.

    Args:
        parts: The folder `nginx` of the bases' extras.
        packages: What the apk database is to say, name → version.
        release: The full Alpine version, as in `3.21.3`.
    """
    return pack([*_folders(), *_programs(parts), *_files(parts, packages, release)])


def _folders() -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    names = "bin dev etc etc/nginx etc/nginx/conf.d lib lib/apk lib/apk/db lib64 proc root run sbin sys usr"
    more = "usr/bin usr/sbin usr/share usr/share/nginx usr/share/nginx/html var var/lib var/log var/log/nginx"
    for name in (*names.split(), _LIBRARIES, *more.split()):
        yield folder(name)
    yield folder("tmp", 0o1777)
    for name in ("var/cache", "var/cache/nginx", "var/lib/nginx"):
        info, data = folder(name)
        info.uid = info.gid = _NGINX_UID
        yield info, data


def _programs(parts: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    yield file("bin/busybox", (parts / "busybox").read_bytes(), 0o755)
    yield file("usr/sbin/nginx", (parts / "nginx").read_bytes(), 0o755)
    for applet in run([parts / "busybox", "--list"], timeout=60).text.split():
        if applet != "busybox":
            yield link(f"bin/{applet}", "busybox")
    for library in sorted(parts.glob("*.so*")):
        place = "lib64" if library.name == _LOADER else _LIBRARIES
        yield file(f"{place}/{library.name}", library.read_bytes(), 0o755)


def _files(parts: Path, packages: Mapping[str, str], release: str) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    system = f'NAME="Alpine Linux"\nID=alpine\nVERSION_ID={release}\n'
    system += f'PRETTY_NAME="Alpine Linux v{VERSION} (made up)"\n'
    yield file("etc/alpine-release", f"{release}\n".encode())
    yield file("etc/os-release", system.encode())
    yield file("etc/passwd", _PASSWD)
    yield file("etc/group", _GROUP)
    yield file("etc/nginx/nginx.conf", _NGINX_CONF)
    yield file("etc/nginx/mime.types", (parts / "mime.types").read_bytes())
    yield file("usr/share/nginx/html/index.html", b"<!doctype html><title>nginx stand-in</title>\n")
    yield file("lib/apk/db/installed", installed(packages).encode())
    yield link("var/log/nginx/access.log", "/dev/stdout")
    yield link("var/log/nginx/error.log", "/dev/stderr")


def installed(packages: Mapping[str, str]) -> str:
    """The apk database (apk-tools' `installed` format) that records these packages."""
    return "\n".join(_record(name, version) for name, version in sorted(packages.items()))


def _record(name: str, version: str) -> str:
    checksum = hashlib.sha1(f"{name}-{version}".encode(), usedforsecurity=False).hexdigest()
    fields = {"C": f"Q2{checksum}", "P": name, "V": version, "A": "x86_64", "S": 1000, "I": 4096}
    fields |= {"T": f"{name} (made up)", "L": "MIT", "o": ORIGINS.get(name, name)}
    return "".join(f"{key}:{value}\n" for key, value in fields.items())
