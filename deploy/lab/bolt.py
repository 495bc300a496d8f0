"""Writes a bbolt database file (version 2), read-only by its readers: nested buckets of bytes, nothing more.

Each bucket is one leaf page, with as many overflow pages as it needs; bbolt reads it like its own trees.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, TypeAlias

Bucket: TypeAlias = Mapping[str, "bytes | Bucket"]

_PAGE: Final = 4096
_LEAF, _META, _FREELIST = 0x02, 0x04, 0x10
_IS_BUCKET: Final = 0x01
_MAGIC, _VERSION = 0xED0CDAED, 2
_HEADER: Final = struct.Struct("<QHHI")  # page: id, flags, count, overflow
_ELEMENT: Final = struct.Struct(
    "<IIII"
)  # leaf element: flags, offset of the key from here, key size, value size
_META_BODY: Final = struct.Struct(
    "<IIIIQQQQQ"
)  # magic, version, page size, flags, root, sequence, freelist, pages, tx
_FIRST_FREE: Final = 3  # pages 0 and 1 are the meta pages, 2 the free list


def dump(root: Bucket) -> bytes:
    """The bytes of a database whose root holds these buckets; equal input gives equal bytes."""
    pages: list[bytes] = []
    root_id = _write(root, pages)
    count = _FIRST_FREE + sum(len(page) // _PAGE for page in pages)
    metas = [_meta(number, root_id, count) for number in (0, 1)]
    free = _HEADER.pack(2, _FREELIST, 0, 0).ljust(_PAGE, b"\0")
    return b"".join([*metas, free, *pages])


def _write(bucket: Bucket, pages: list[bytes]) -> int:
    """Write a bucket's own buckets first, then its page; return its page's id."""
    items = [(name.encode(), *_value(value, pages)) for name, value in bucket.items()]
    items.sort(key=lambda item: item[0])
    number = _FIRST_FREE + sum(len(page) // _PAGE for page in pages)
    pages.append(_leaf(number, items))
    return number


def _value(value: bytes | Bucket, pages: list[bytes]) -> tuple[bytes, int]:
    if isinstance(value, bytes):
        return value, 0
    return struct.pack("<QQ", _write(value, pages), 0), _IS_BUCKET


def _leaf(number: int, items: list[tuple[bytes, bytes, int]]) -> bytes:
    table, data = b"", b""
    start = len(items) * _ELEMENT.size
    for position, (key, value, flags) in enumerate(items):
        offset = start - position * _ELEMENT.size + len(data)
        table += _ELEMENT.pack(flags, offset, len(key), len(value))
        data += key + value
    body = table + data
    size = -(-(_HEADER.size + len(body)) // _PAGE) * _PAGE
    return (_HEADER.pack(number, _LEAF, len(items), size // _PAGE - 1) + body).ljust(size, b"\0")


def _meta(number: int, root: int, pages: int) -> bytes:
    body = _META_BODY.pack(_MAGIC, _VERSION, _PAGE, 0, root, 0, 2, pages, number)
    page = _HEADER.pack(number, _META, 0, 0) + body + struct.pack("<Q", _fnv1a(body))
    return page.ljust(_PAGE, b"\0")


def _fnv1a(data: bytes) -> int:
    """FNV-1a, 64 bits: the checksum of a meta page."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return value
