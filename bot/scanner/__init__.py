"""Scanning images with Trivy, run as a program of its own."""

from bot.scanner.database import DatabaseSettings
from bot.scanner.settings import ScannerSettings
from bot.scanner.trivy import TrivyScanner

__all__ = ["DatabaseSettings", "ScannerSettings", "TrivyScanner"]
