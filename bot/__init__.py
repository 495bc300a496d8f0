"""Refit keeps container base images fresh, and proves every update."""

__version__ = "0.1.0"
