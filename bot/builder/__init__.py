"""Building, measuring and starting images with a container engine."""

from bot.builder.buildkit import BuilderSettings, DockerBuilder
from bot.builder.guard import guarded
from bot.builder.measure import measure_saved

__all__ = ["BuilderSettings", "DockerBuilder", "guarded", "measure_saved"]
