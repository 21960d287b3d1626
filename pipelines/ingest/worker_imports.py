"""What a batch needs, for a server to import before it forks workers; nothing is run."""

import exchange_calendars  # noqa: F401 - imported inside a function where it is used

import pipelines.ingest.files
import pipelines.ingest.simulated
import pipelines.ingest.stage  # noqa: F401
from pipelines.sessions import calendar

calendar()
