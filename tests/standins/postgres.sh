#!/bin/bash
# What deploy/compose.yaml counts on of the official image's entry point: POSTGRES_USER, POSTGRES_DB and
# POSTGRES_PASSWORD are obeyed once, the data stays in the volume, and the server is not root.
set -eu
data=/var/lib/postgresql/data

if [ "$(id -u)" = 0 ]; then
  mkdir -p /var/run/postgresql
  chown postgres "$data" /var/run/postgresql
  chmod 700 "$data"
  exec setpriv --reuid postgres --regid postgres --init-groups "$0"
fi

if [ ! -s "$data/PG_VERSION" ]; then
  : "${POSTGRES_PASSWORD:?is not set, and an empty password is refused}"
  initdb -D "$data" -U "$POSTGRES_USER" --auth=scram-sha-256 --pwfile=<(echo "$POSTGRES_PASSWORD") -E UTF8 --no-sync
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
  # Nobody is let in from outside before the database is there.
  pg_ctl -D "$data" -o "-c listen_addresses=" -w start
  PGPASSWORD=$POSTGRES_PASSWORD psql -U "$POSTGRES_USER" -d postgres -c "CREATE DATABASE \"$POSTGRES_DB\""
  pg_ctl -D "$data" -w stop
fi
exec postgres -D "$data" -c listen_addresses='*'
