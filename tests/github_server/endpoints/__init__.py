"""The operations, by the part of GitHub's API that they belong to; importing this fills the table."""

from tests.github_server.endpoints import (
    apps,
    checks,
    git_data,
    graphql,
    issues,
    labels,
    merging,
    meta,
    pulls,
    repositories,
    workflows,
)

__all__ = [
    "apps",
    "checks",
    "git_data",
    "graphql",
    "issues",
    "labels",
    "merging",
    "meta",
    "pulls",
    "repositories",
    "workflows",
]
