"""What the judge says of a batch."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipelines.quality.judging.compiled import Batch

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Verdict:
    """What the judge says of a batch.

    ``rejections`` are rows of ``QUARANTINED_PRICES``, one per row and rule. ``batch`` holds the
    columns that the suites were evaluated on, derived ones included, so that Great Expectations
    can confirm the verdict; ``survivors`` marks the rows that reached the history suite.
    """

    rejections: pa.Table
    batch: Batch
    survivors: Mask
    rejected: npt.NDArray[np.intp]
