"""Quality: what fails its expectations goes to quarantine with the reason; the rest goes on."""

from pipelines.quality.quarantine import list_quarantine
from pipelines.quality.stage import QualityReport, check

__all__ = ["QualityReport", "check", "list_quarantine"]
