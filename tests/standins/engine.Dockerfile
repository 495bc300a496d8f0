# Stands in for `docker:29-dind`, which cannot be had on a closed network: Debian's own engine.
ARG BASE
FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends docker.io iptables \
 && rm -rf /var/lib/apt/lists/*
VOLUME /var/lib/docker
