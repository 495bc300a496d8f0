# Stands in for a Debian machine with systemd, set up as the unit's first lines say.
ARG BASE
ARG REFIT
FROM ${REFIT} AS refit

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl git python3 systemd \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --system docker \
 && useradd --system --home-dir /var/lib/refit --groups docker refit
# What `pip install` made there, in the same place, of the same Python.
COPY --from=refit /opt/refit /opt/refit
STOPSIGNAL SIGRTMIN+3
ENTRYPOINT ["/lib/systemd/systemd"]
