"""Building, measuring and starting images with a container engine."""

from bot.builder.buildkit import BuilderSettings, DockerBuilder

__all__ = ["BuilderSettings", "DockerBuilder"]
