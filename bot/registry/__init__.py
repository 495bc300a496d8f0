"""Asking OCI registries: politely, safely, and with as few requests as there can be."""

from bot.registry.client import RegistryClient
from bot.registry.settings import ContentCache, HostSettings, RegistrySettings

__all__ = ["ContentCache", "HostSettings", "RegistryClient", "RegistrySettings"]
