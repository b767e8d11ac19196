"""The database: one transaction per fact, no network inside it."""
