"""Start again what ends although it should run: ``python -m pipelines.operate.cluster.keeper``.

What ``restart: unless-stopped`` asks of a container engine, for the native cluster. A container
that keeps on ending is started again less and less often.
"""

import logging
import sys
import time

from pipelines.errors import ProcessError
from pipelines.operate.cluster.cluster import Cluster
from pipelines.operate.cluster.losses import tell_of_losses
from pipelines.settings import load_settings

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_SETTLED_S = 120.0
"""How long nothing may have ended before a pause is forgotten."""


def keep(cluster: Cluster) -> None:
    """Look after a cluster until this process is ended."""
    pause_s, quiet_since = _FIRST_PAUSE_S, time.monotonic()
    containers = cluster.containers()
    while True:
        revived = cluster.revive(containers)
        now = time.monotonic()
        if revived:
            logger.warning("started again: %s", ", ".join(revived))
            tell_of_losses(cluster, revived)
            time.sleep(pause_s)
            pause_s, quiet_since = min(2 * pause_s, _LONGEST_PAUSE_S), now
        elif now - quiet_since > _SETTLED_S:
            pause_s = _FIRST_PAUSE_S
        time.sleep(LOOK_EVERY_S)


def main() -> None:
    """Keep the cluster of the home that the environment names."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%F %T", stream=sys.stderr
    )
    cluster = Cluster(load_settings())
    while True:
        try:
            keep(cluster)
        except ProcessError as error:
            # Such as no room for a log: it must not be the keeper that dies of it.
            logger.error("%s", error)
            time.sleep(_FIRST_PAUSE_S)


if __name__ == "__main__":
    main()
