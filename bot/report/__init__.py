"""Report: values in; Markdown for people on GitHub, tables for terminals, JSON for scripts out. Pure."""
