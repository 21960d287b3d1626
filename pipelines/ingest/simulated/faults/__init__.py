"""The catalogue of faults: what can be wrong with deliveries, injected with its ground truth."""

from pipelines.ingest.simulated.faults.fault import (
    Boundary,
    Fault,
    FileFault,
    History,
    SymbolFault,
    TableFault,
    Truth,
)
from pipelines.ingest.simulated.faults.injection import FaultyProvider, Injection
from pipelines.ingest.simulated.faults.plan import (
    CATALOGUE,
    SESSIONS_BEFORE,
    SYMBOL_FAULTS,
    by_name,
    planned,
)

__all__ = [
    "CATALOGUE",
    "SESSIONS_BEFORE",
    "SYMBOL_FAULTS",
    "Boundary",
    "Fault",
    "FaultyProvider",
    "FileFault",
    "History",
    "Injection",
    "SymbolFault",
    "TableFault",
    "Truth",
    "by_name",
    "planned",
]
