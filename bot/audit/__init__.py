"""The audit: the guide's rules on Dockerfiles, nginx configurations and image contents; no I/O.

Each rule is one small file that declares itself as a `bot.model.finding.AuditRule` beside its check;
`catalog.py` lists them all.
"""
