"""Who root is, in the words of USER and of an image's config."""

from __future__ import annotations

import re
from typing import Final

# A number is read as Go's `strconv.Atoi` reads it (moby/sys, user/user.go).
_ROOT: Final = re.compile(r"root|[+-]?0+")


def is_root(user: str) -> bool:
    """Tell whether `user` or `user:group` is root, by name or in any spelling of its number."""
    return _ROOT.fullmatch(user.partition(":")[0]) is not None
