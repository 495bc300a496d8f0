"""The lab: real parts on this machine alone, for `make run` in a closed network and for the tests.

A private container engine, a real registry that holds a stale and a fresh Debian base made from the machine's
own package archive, and a Trivy database made from that archive's changelogs. What cannot be had (Alpine, the
builder images) is made up, and every made-up image says so in its label `dev.refit.stand-in`.

    with Lab.start(Path(".lab")) as lab:
        lab.move("library/debian", "bookworm-slim", lab.fresh["library/debian:bookworm-slim"])

`python -m deploy.lab up|status|down` does the same by hand.
"""

from deploy.lab.errors import LabError
from deploy.lab.lab import Lab

__all__ = ["Lab", "LabError"]
