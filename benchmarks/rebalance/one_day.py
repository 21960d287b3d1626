"""``smartinvest rebalance`` of a clientele that is no build's: ``python -m ... FOLDER SESSION``.

Prints what it took, part by part, as one line of JSON.
"""

import dataclasses
import datetime as dt
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipelines.forecast.run import begin_with_known_forecasts
from pipelines.rebalance.spent import DoneShard, micros_per_account
from pipelines.rebalance.stage import advise_and_publish, identity_of
from pipelines.settings import load_settings
from pipelines.store import transaction
from pipelines.warehouse import build_for

if TYPE_CHECKING:
    from pipelines.rebalance.arrays import Floats

_PARTS = 10


def main() -> None:
    """Rebalance, from reading to published trades."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    folder, session = sys.argv[1:]
    settings = load_settings()
    build = build_for(settings, dt.date.fromisoformat(session))
    identity = identity_of(settings, build)
    with transaction(settings) as store:
        begin_with_known_forecasts(store, identity)
    began = time.monotonic()
    advised = advise_and_publish(settings, identity, dataclasses.replace(build, path=Path(folder)))
    ended = time.monotonic()
    found = {
        "seconds": ended - began,
        "run_id": identity.run_id,
        "accounts": sum(shard.plan.accounts for shard in advised.done),
        "seconds_by_tenth": seconds_by_tenth(began, advised.done).round(2).tolist(),
        "publication_seconds": ended - max(shard.at for shard in advised.done),
        "micros_per_account": {
            part: round(micros, 1) for part, micros in micros_per_account(advised.done).items()
        },
    }
    print(json.dumps(found))


def seconds_by_tenth(began: float, done: Sequence[DoneShard]) -> "Floats":
    """Return how long each tenth of the accounts took, the first with everything before it.

    Shards lie close enough where there are many of them; between two, time is shared out evenly.
    """
    ordered = sorted(done, key=lambda shard: shard.at)
    accounts = np.cumsum([0, *(shard.plan.accounts for shard in ordered)])
    moments = [began, *(shard.at for shard in ordered)]
    return np.diff(np.interp(np.linspace(0, accounts[-1], _PARTS + 1), accounts, moments))


if __name__ == "__main__":
    main()
