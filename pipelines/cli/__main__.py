"""``python -m pipelines.cli``, for processes that the scheduler starts."""

from pipelines.cli.main import main

main()
