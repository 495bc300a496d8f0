"""What outlives a process: tables in SQLite or PostgreSQL, Alembic migrations, and the lease."""
