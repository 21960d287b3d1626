"""What a fault is, and what is found out about it."""

import re
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.cluster_faults.ground import Ground


@dataclass(frozen=True)
class Recovery:
    """How a fault went.

    Attributes
    ----------
    story : what happened, in a sentence.
    seconds : from the injection until the advice was published and its DAG run had succeeded; None
        where that took longer than was waited.
    run_id : run that the session shows afterwards.
    key : of whom it concerns, which the alert must name as well; empty where it concerns all.
    is_reference : whether that is the run that was made without a fault, so that its rows can be
        compared; the rows of any other are compared with those of its replay.
    broken : what else did not hold.
    """

    story: str
    seconds: float | None
    run_id: str
    _: KW_ONLY
    is_reference: bool = True
    key: str = ""
    broken: tuple[str, ...] = ()


@dataclass(frozen=True)
class Fault:
    """One way to break the cluster.

    Attributes
    ----------
    expectation : what must happen.
    cause : a regular expression that an alert's text matches if it names the cause; empty where
        nothing is wrong that anybody should be told of.
    inject : breaks the cluster, waits until it has recovered, and tells.
    """

    name: str
    expectation: str
    cause: str
    inject: "Callable[[Ground], Recovery]"

    def is_named_by(self, alert: str, key: str = "") -> bool:
        """Tell whether an alert names what was broken, and whom it concerns."""
        return re.search(self.cause, alert, re.IGNORECASE) is not None and key in alert


@dataclass(frozen=True)
class Finding:
    """What came out of one fault: ``broken`` names each expectation that was not met."""

    fault: Fault
    happened: str
    seconds: float | None
    alert: str
    alerts: int
    broken: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """``met``, or what was not."""
        return "not met: " + "; ".join(self.broken) if self.broken else "met"
