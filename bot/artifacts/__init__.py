"""Documents about images, kept by digest in a folder or an object store."""

from bot.artifacts.shelf import ArtifactShelf, open_shelf

__all__ = ["ArtifactShelf", "open_shelf"]
