"""Building, measuring and starting images with a container engine."""

from bot.builder.archive import is_archive, open_archive
from bot.builder.buildkit import BuilderSettings, DockerBuilder
from bot.builder.guard import close_network

__all__ = ["BuilderSettings", "DockerBuilder", "close_network", "is_archive", "open_archive"]
