"""One fault, from injection to verdict."""

import logging
import subprocess
import sys

from benchmarks.cluster_faults.evidence import (
    Sight,
    broken_laws,
    differing_tables,
    reader,
    table_digests,
)
from benchmarks.cluster_faults.fault import Fault, Finding, Recovery
from benchmarks.cluster_faults.ground import Ground
from pipelines.errors import SmartInvestError

logger = logging.getLogger(__name__)

_ALERT_PATIENCE_S = 30.0
_NONE_EXPECTED = "none is due"


def examine(ground: Ground, fault: Fault) -> Finding:
    """Inject a fault, wait for the recovery, and ask store and webhook what came of it."""
    logger.info("fault: %s", fault.name)
    alerts_before = ground.webhook.count
    with reader(ground.settings) as sight:
        try:
            recovery = fault.inject(ground)
        except (TimeoutError, SmartInvestError) as error:
            # What was to be broken did not come that far; that stands in the table as it is.
            recovery = Recovery(f"{type(error).__name__}: {error}", None, "")
    alerts, naming = ground.webhook.since(
        alerts_before,
        lambda alert: fault.is_named_by(alert, recovery.key),
        _ALERT_PATIENCE_S if fault.cause else 0.0,
    )
    broken = [*recovery.broken, *_of_store(ground, recovery, sight)]
    if recovery.seconds is None:
        broken.insert(0, "it did not recover by itself")
    if fault.cause and not naming:
        broken.append("no alert named the cause")
    finding = Finding(
        fault=fault,
        happened=recovery.story,
        seconds=recovery.seconds,
        alert=naming or (alerts[0] if alerts else "" if fault.cause else _NONE_EXPECTED),
        alerts=len(alerts),
        broken=tuple(broken),
    )
    logger.info("fault: %s: %s", fault.name, finding.verdict)
    return finding


def _of_store(ground: Ground, recovery: Recovery, sight: Sight) -> list[str]:
    """Return what the store, or its reader, has seen that must not be."""
    broken = [f"half-published {half}" for half in sight.halves]
    if not recovery.run_id:
        return broken
    settings = ground.settings
    broken += broken_laws(settings, recovery.run_id)
    if recovery.is_reference:
        after = table_digests(settings, recovery.run_id)
        different = differing_tables(ground.reference.digests, after)
        broken += [f"rows of {name} differ from the undisturbed run's" for name in different]
    elif problem := _replayed(ground, recovery.run_id):
        broken.append(problem)
    return broken


def _replayed(ground: Ground, run_id: str) -> str:
    """Make a run again from its recorded inputs, in one process; say what differs."""
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "replay", run_id],
        env=ground.cluster.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return ""
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return f"its replay differs: {' '.join(said[-1:])}"
