"""Accounts and goals of a run as arrays, a shard of clients at a time."""
