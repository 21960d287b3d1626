"""``smartinvest bench faults``: every fault of the catalogue through the real ingest and checks.

Faults are put into a simulated market, each on a symbol of its own, and go through provider,
lake, judge and quarantine as real data does. What the system says of them is compared with the
truth that the catalogue knows; what it says of clean data is a false positive.
"""

from benchmarks.faults.bench import run

__all__ = ["run"]
