"""The HTTP door: what players and webhooks post becomes records in Kafka."""
