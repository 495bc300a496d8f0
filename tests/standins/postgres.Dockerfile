# Stands in for `postgres:17-bookworm`, which cannot be had on a closed network: Debian's own PostgreSQL.
ARG BASE
FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends postgresql \
 && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/* \
 && mkdir /var/lib/postgresql/data \
 && ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/
COPY --chmod=755 postgres.sh /usr/local/bin/start-postgres
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["start-postgres"]
