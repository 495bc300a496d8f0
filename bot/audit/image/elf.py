"""What `strip` would take off an ELF binary."""

from __future__ import annotations

from itertools import islice
from typing import IO, Final

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

MAGIC: Final = b"\x7fELF"
_MAX_SECTIONS: Final = 4096
_ALLOCATED: Final = 0x2  # SHF_ALLOC: the section is needed to run
_SYMBOLS: Final = (".symtab", ".strtab")
_DEBUG: Final = (".debug_", ".zdebug_")


def strippable(file: IO[bytes]) -> int:
    """Bytes of symbols and debug information, which nothing needs to run; 0 for what cannot be read.

    GNU binutils: `strip --strip-all` removes .symtab, its .strtab, and the debug sections.
    """
    try:
        elf = ELFFile(file)
        if elf["e_type"] not in {"ET_EXEC", "ET_DYN"}:
            return 0
        return sum(_size(section) for section in islice(elf.iter_sections(), _MAX_SECTIONS))
    except (
        ELFError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OverflowError,
        MemoryError,
    ):
        return 0  # any bytes may come, and the parser has as many errors as there are ways to be broken


def _size(section: object) -> int:
    header = section.header  # type: ignore[attr-defined]  # the library has no types
    name = str(section.name)  # type: ignore[attr-defined]  # as above
    if header["sh_flags"] & _ALLOCATED or header["sh_type"] == "SHT_NOBITS":
        return 0
    return int(header["sh_size"]) if name in _SYMBOLS or name.startswith(_DEBUG) else 0
