"""Which update to take: tags, releases, rules, and the decision. Pure; no I/O but the packaged data."""
