# Stand-in for the builder stage: Debian's own toolchain on the fresh base. Rust links with cc, which drives ld
# only; the C compiler proper, link-time optimisation and the interpreters that come along are not needed.
ARG BASE
FROM ${BASE}
RUN apt-get update -qq \
    && apt-get install -qq -y --no-install-recommends rustc-web cargo-web \
    && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /usr/lib/gcc/*/*/cc1* /usr/lib/gcc/*/*/lto* /usr/lib/gcc/*/*/lib?san* \
    && rustc --version && cargo --version
