"""What is known of public base images by their names: their user, their tools, and what is smaller.

Only what the images' own publishers say is here (docker-library, distroless, dotnet-docker, nginx); of any
other image nothing is known, and nothing is claimed.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from bot.dockerfile.naming import SCRATCH
from bot.model.reference import Reference
from bot.model.use import Use

_OFFICIAL: Final = {("docker.io", "library/"), ("public.ecr.aws", "docker/library/")}
# Official images that give themselves a user: by USER, or in their entry point, which starts as root (gosu).
_OWN_USER: Final = frozenset(
    {
        "adminer", "cassandra", "couchdb", "elasticsearch", "flink", "haproxy", "influxdb", "jetty", "kibana",
        "logstash", "mariadb", "memcached", "mongo", "mysql", "neo4j", "percona", "postgres", "rabbitmq",
        "redis", "rocket.chat", "solr", "sonarqube", "spark", "storm", "valkey", "varnish", "zookeeper",
    }
)  # fmt: skip
_DEBIAN: Final = frozenset({"debian", "ubuntu"})
_SLIM_WITHOUT_TOOLS: Final = frozenset({"node", "openjdk", "python", "ruby", "rust"})
_ALPINE_WITHOUT_CURL: Final = frozenset(
    {"alpine", "golang", "node", "postgres", "python", "redis", "ruby", "rust"}
)
_TOOLCHAINS: Final = frozenset({"buildpack-deps", "gcc", "golang", "gradle", "maven", "rust"})
_FULL: Final = frozenset({"debian", "node", "python", "ruby"})
_SERVERS: Final = frozenset({"nginx", "httpd", "caddy", "traefik"})
_RECORD: Final = "docker-library/repo-info"
_SUITES_WITHOUT_SLIM: Final = frozenset({"sid", "experimental", "rc-buggy"})


@dataclass(frozen=True, slots=True)
class Smaller:
    """A smaller base than one in use.

    Attributes:
        alternative: What to take, in words.
        now: What the one in use weighs; empty where it is not known.
        then: The same of the smaller one.
        source: Whose figures these are, and of when, in brackets; empty where there are none.
        saves: Bytes between them, or None.
    """

    alternative: str
    now: str
    then: str
    source: str
    saves: int | None


def is_scratch(use: Use) -> bool:
    """True for the empty image."""
    return use.skipped == SCRATCH


def official(reference: Reference | None) -> str:
    """The name of an official image: `debian`; empty for any other."""
    if reference is None:
        return ""
    for registry, prefix in _OFFICIAL:
        if reference.registry == registry and reference.repository.startswith(prefix):
            return reference.repository.removeprefix(prefix)
    return ""


def words(reference: Reference) -> tuple[str, ...]:
    """The parts of a tag: `3.12`, `slim`, `bookworm`."""
    return tuple((reference.tag or "latest").lower().split("-"))


def is_distroless(reference: Reference | None) -> bool:
    """True for Google's distroless images."""
    return (
        reference is not None
        and reference.registry == "gcr.io"
        and reference.repository.startswith("distroless/")
    )


def _is_alpine(reference: Reference) -> bool:
    return official(reference) == "alpine" or any(word.startswith("alpine") for word in words(reference))


def runs_as_root(use: Use) -> bool | None:
    """Whether an image starts as root when nobody says otherwise; None where that is not known."""
    if is_scratch(use):
        return True
    reference = use.reference
    if reference is None:
        return None
    if is_distroless(reference):
        return "nonroot" not in words(reference)
    if reference.registry == "mcr.microsoft.com" and reference.repository.startswith("dotnet/"):
        return "chiseled" not in (reference.tag or "")
    name = official(reference)
    return True if name and name not in _OWN_USER else None


def has_no_shell(use: Use) -> bool:
    """True for images that are known to have no shell."""
    if is_scratch(use):
        return True
    return is_distroless(use.reference) and use.reference is not None and "debug" not in words(use.reference)


def lacks(use: Use, tool: str) -> bool:
    """True where an image is known not to have `curl`, `wget` or `nc`."""
    if has_no_shell(use):
        return True
    reference = use.reference
    if reference is None:
        return False
    name = official(reference)
    if _is_alpine(reference):
        bare = name in _ALPINE_WITHOUT_CURL or (name == "nginx" and "slim" in words(reference))
        return tool == "curl" and bare
    if name == "busybox":
        return tool == "curl"
    if reference.registry == "mcr.microsoft.com" and reference.repository in {
        "dotnet/aspnet",
        "dotnet/runtime",
    }:
        return tool in {"curl", "wget"}
    return name in _DEBIAN or (name in _SLIM_WITHOUT_TOOLS and "slim" in words(reference))


def serves(use: Use) -> bool:
    """True for web servers: what is copied into them is read by browsers."""
    name = use.reference.repository.rpartition("/")[2] if use.reference else ""
    return official(use.reference) in _SERVERS or name.startswith("nginx") or name == "openresty"


def starts_itself(use: Use) -> bool:
    """True for images that run a server without being told to."""
    return serves(use)


def smaller(use: Use) -> Smaller | None:
    """A smaller base for a final stage; None where the one in use is small, or nothing is known of it."""
    reference = use.reference
    if reference is None:
        return None
    name, parts = official(reference), words(reference)
    if reference.registry == "mcr.microsoft.com" and reference.repository == "dotnet/sdk":
        return _known()["mcr.microsoft.com/dotnet/sdk"]
    if name in _TOOLCHAINS:
        return _known()[name]
    is_slim = "slim" in parts or _is_alpine(reference) or not _SUITES_WITHOUT_SLIM.isdisjoint(parts)
    large = (name in _FULL and not is_slim) or (name == "nginx" and not _is_alpine(reference))
    full_java = name in {"eclipse-temurin", "openjdk"} and "jre" not in parts
    return _known()[name] if large or full_java else None


@cache
def _known() -> Mapping[str, Smaller]:
    text = files("bot.audit").joinpath("data", "bases.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row["name"]: _smaller(row) for row in rows}


def _smaller(row: Mapping[str, str]) -> Smaller:
    both = row["mb"] and row["then_mb"]
    figures = ((row["recorded"], _RECORD), (row["then"], row["by"]))
    told = [f"{what} by {whose}" for what, whose in figures if what]
    return Smaller(
        alternative=row["alternative"],
        now=f"some {float(row['mb']):,.0f} MB" if row["mb"] else "",
        then=f"some {float(row['then_mb']):,.0f} MB" if row["then_mb"] else "",
        source=f" (sizes of {', '.join(told)})" if told else "",
        saves=round((float(row["mb"]) - float(row["then_mb"])) * 1_000_000) if both else None,
    )
