"""Start again what ends although it should run: ``python -m pipelines.operate.cluster.keeper``.

What ``restart: unless-stopped`` asks of a container engine, for the native cluster. A container
that keeps on ending is started again less and less often; the others do not wait for it.
"""

import logging
import sys
import time
from dataclasses import dataclass, field

from pipelines.errors import ProcessError
from pipelines.operate.cluster.cluster import Cluster
from pipelines.operate.cluster.losses import tell_of_losses
from pipelines.settings import load_settings

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0
_SETTLED_S = 120.0
"""How long a container must have run before its pauses are forgotten."""


@dataclass
class Pauses:
    """How long each container, by name, has to wait before it is started once more."""

    _last: dict[str, tuple[float, float]] = field(default_factory=dict)

    def is_over(self, name: str, now_s: float) -> bool:
        """Tell whether a container may be started at this moment."""
        began_s, pause_s = self._last.get(name, (now_s, 0.0))
        return now_s >= began_s + pause_s

    def begin(self, name: str, now_s: float) -> None:
        """Note that a container was started at this moment: the next pause is twice as long."""
        began_s, pause_s = self._last.get(name, (now_s, 0.0))
        settled = now_s - began_s > _SETTLED_S
        longer_s = _FIRST_PAUSE_S if settled else max(_FIRST_PAUSE_S, 2 * pause_s)
        self._last[name] = (now_s, min(longer_s, _LONGEST_PAUSE_S))


def keep(cluster: Cluster) -> None:
    """Look after a cluster until this process is ended."""
    containers, pauses = cluster.containers(), Pauses()
    while True:
        now_s = time.monotonic()
        revived = cluster.revive([one for one in containers if pauses.is_over(one.name, now_s)])
        for name in revived:
            pauses.begin(name, now_s)
        if revived:
            logger.warning("started again: %s", ", ".join(revived))
            tell_of_losses(cluster, revived)
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
            # Such as a description that is being written: it must not be the keeper that dies.
            logger.error("%s", error)
            time.sleep(_FIRST_PAUSE_S)


if __name__ == "__main__":
    main()
