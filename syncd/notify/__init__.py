"""Tells the outside what happened: events become deliveries, and each is tried until it was taken or given up."""
