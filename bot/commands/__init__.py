"""One command, one file, one function; `bot/cli.py` is the table."""
