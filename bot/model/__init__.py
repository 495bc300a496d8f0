"""Frozen values and the words of the house; no I/O, and no import from the rest of Refit."""
