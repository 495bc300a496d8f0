"""The quarterly size report: measurements summed up, and shown as Markdown, page and JSON."""
