"""The command ``smartinvest``: one module per group of subcommands."""

from pipelines.cli.main import app, main

__all__ = ["app", "main"]
