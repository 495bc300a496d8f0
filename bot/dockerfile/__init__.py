"""Read the places that name an image in Dockerfiles and compose files, and edit them; no I/O.

Start at `uses.read`. BuildKit's Dockerfile frontend is the reference for the grammar: what it
builds is read as it reads it, and what it refuses is reported as skipped, with the reason.
"""
