"""What `refit serve` answers over HTTP: health, readiness, webhooks."""
