"""`make bench`: each line is a ratio against a named limit or peer, measured in this run."""

from __future__ import annotations

import importlib
import sys
from typing import Final

BENCHES: Final = (
    "audit",
    "chat",
    "cycle",
    "discover",
    "fleet",
    "parse",
    "proof",
    "registry",
    "registry_peers",
    "registry_renovate",
    "sboms",
    "serve",
)


def main(names: list[str]) -> None:
    """Run the named benches, or all."""
    for name in names or BENCHES:
        importlib.import_module(f"tests.bench.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
