"""The program that brings the tables of a store up to date; its URL, a secret, stands on standard input."""

from __future__ import annotations

import sys

from bot.store.drivers import driver_for
from bot.store.upgrade import upgrade

if __name__ == "__main__":
    url = sys.stdin.read()
    upgrade(url, driver_for(url))
