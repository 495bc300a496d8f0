"""Images that somebody saved: what `docker save` writes, or an OCI layout as a folder or a tar."""

from bot.saved.image import SavedImage, SavedLayer, for_scanner, is_saved_image, open_saved

__all__ = ["SavedImage", "SavedLayer", "for_scanner", "is_saved_image", "open_saved"]
