"""Scanning images with Trivy, run as a program of its own."""

from bot.scanner.access import Access, AccessTo
from bot.scanner.database import DatabaseSettings
from bot.scanner.settings import ScannerSettings
from bot.scanner.trivy import TrivyScanner

__all__ = ["Access", "AccessTo", "DatabaseSettings", "ScannerSettings", "TrivyScanner"]
