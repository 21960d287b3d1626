"""Client inputs: seeded clients for trying things out, and real ones from a CSV file."""

from pipelines.clients.generate import GenerateReport, generate
from pipelines.clients.importing import ImportReport, import_csv
from pipelines.clients.reading import count_clients

__all__ = ["GenerateReport", "ImportReport", "count_clients", "generate", "import_csv"]
