"""What the operator sees: logs, metrics, health, and the word given to systemd."""
