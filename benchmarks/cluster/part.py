"""One task of the DAG ``rebalance`` in a process of its own: ``python -m ... PART SESSION``.

``prepare`` prints the groups, ``advise`` and ``publish`` read theirs from standard input, and
``alone`` is ``smartinvest rebalance``. Prints what it took as one line of JSON.
"""

import datetime as dt
import json
import logging
import sys
import time
from typing import Any

from pipelines.rebalance import Group, advise_group, prepare_groups, publish_groups, rebalance
from pipelines.settings import Settings, load_settings


def main() -> None:
    """Do a part."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    part, session = sys.argv[1], dt.date.fromisoformat(sys.argv[2])
    began = time.monotonic()
    found = _do(part, load_settings(), session)
    print(json.dumps({"seconds": time.monotonic() - began, **found}))


def _do(part: str, settings: Settings, session: dt.date) -> dict[str, Any]:
    if part == "alone":
        return {"run_id": rebalance(settings, session).run_id}
    if part == "prepare":
        return {"groups": [group.plain() for group in prepare_groups(settings, session)]}
    groups = [Group.of_plain(values) for values in json.load(sys.stdin)]
    if part == "publish":
        return {"run_id": publish_groups(settings, groups).run_id}
    for group in groups:
        advise_group(settings, group)
    return {}


if __name__ == "__main__":
    main()
