"""What the broker did with trades: fills of a file, and those of a paper broker."""

from pipelines.fills.importing import FillReport, import_fills
from pipelines.fills.paper import PaperReport, paper_fills

__all__ = ["FillReport", "PaperReport", "import_fills", "paper_fills"]
