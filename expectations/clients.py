"""Rules for the snapshot of client inputs, one suite per table: what its declaration demands.

The import of a client file checks far more and says it line by line; these suites are the gate in
front of a build, whatever wrote the store.
"""

from expectations.rules import Suite, declared
from models.store_inputs import SNAPSHOT

CLIENT_SUITES = {
    table.name: Suite(f"clients_{table.name}", tuple(declared(table))) for table in SNAPSHOT
}
"""By name of the table."""
