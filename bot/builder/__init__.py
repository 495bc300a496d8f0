"""Building, measuring and starting images with a container engine."""

from bot.builder.archive import is_archive, open_archive
from bot.builder.buildkit import BuilderSettings, DockerBuilder
from bot.builder.guard import guarded

__all__ = ["BuilderSettings", "DockerBuilder", "guarded", "is_archive", "open_archive"]
