"""Images for the tests of deployment: Refit's own, and stand-ins for those that a closed network has not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bot import process
from deploy.lab import Lab
from tests.e2e.world import DEBIAN, ROOT

STANDINS: Final = Path(__file__).parents[1] / "standins"
_AUTHORITIES: Final = Path("/etc/ssl/certs/ca-certificates.crt")


def docker(lab: Lab, *words: str | Path, seconds: float = 600, check: bool = True) -> str:
    """Run a docker command on the lab's engine; what it printed."""
    env = process.environment(DOCKER_HOST=lab.docker_host, DOCKER_BUILDKIT="1", HOME="/nonexistent")
    command = ["/usr/bin/docker", *words]
    return process.run(command, timeout=seconds, env=env, cwd=ROOT, check=check).text.strip()


@contextmanager
def own_image(lab: Lab) -> Iterator[str]:
    """Refit's image, built from this checkout as the README says, and pushed where it can be scanned."""
    name = f"{lab.registry}/own/bot:test"
    _build(lab, name, "-f", "deploy/Dockerfile", "--secret", f"id=ca,src={_AUTHORITIES}", ".")
    docker(lab, "push", "-q", name)
    yield name
    docker(lab, "rmi", "-f", name)


def standin(lab: Lab, name: str, *words: str) -> str:
    """Build one of the stand-ins, by the name of its file and with more words; gives its tag."""
    tag = f"standin/{name}"
    _build(lab, tag, "-f", str(STANDINS / f"{name}.Dockerfile"), *words, str(STANDINS))
    return tag


def base(lab: Lab) -> str:
    """The Debian that all of them stand on here."""
    return f"{lab.registry}/library/debian@{lab.fresh[DEBIAN]}"


def gateway(lab: Lab) -> str:
    """The address that this machine has for the engine's containers."""
    return docker(lab, "network", "inspect", "bridge", "-f", "{{(index .IPAM.Config 0).Gateway}}")


def _build(lab: Lab, tag: str, *words: str) -> None:
    docker(lab, "build", "-t", tag, "--build-arg", f"BASE={base(lab)}", *words, seconds=900)
