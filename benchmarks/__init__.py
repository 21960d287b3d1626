"""Benchmarks against peers, each a subcommand of ``smartinvest bench``."""
