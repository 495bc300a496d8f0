# What the guide starts from: one stage, so compiler, sources and debug symbols all ship.
FROM rust:1.90-bookworm@sha256:d8107dafef67a8009ec2b23f2e58d8eced0e0f8bbd770d56b7dd131889ca7564
WORKDIR /app
COPY . .
RUN cargo build --release --locked
EXPOSE 2000
ENTRYPOINT ["/app/target/release/backend"]
