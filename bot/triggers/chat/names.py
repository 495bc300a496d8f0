"""Names of chats whose library is loaded only where they are configured."""

from __future__ import annotations

from typing import Final

MATRIX: Final = "matrix"
