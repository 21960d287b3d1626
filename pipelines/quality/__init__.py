"""Quality: what fails its expectations goes to quarantine with the reason; the rest goes on."""

from pipelines.quality.listing import grouped, of_symbol, write_csv
from pipelines.quality.quarantine import list_quarantine
from pipelines.quality.stage import QualityReport, check

__all__ = ["QualityReport", "check", "grouped", "list_quarantine", "of_symbol", "write_csv"]
