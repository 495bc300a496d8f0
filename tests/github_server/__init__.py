"""A small GitHub of the tests' own: its REST API and git's smart HTTP, over real bare repositories."""

from tests.github_server.exchange import Exchange
from tests.github_server.server import GitHubServer

__all__ = ["Exchange", "GitHubServer"]
