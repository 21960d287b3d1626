"""Say what a training of each profile costs at most, part by part, on two quiet cores.

``python -m benchmarks.training_budget`` is of the bundled sample. Networks that stop early and
trials that are pruned make it less.
"""

import argparse
import logging
from collections import Counter

from ml.plans import PROFILES
from ml.splits import walk_forward
from ml.training.train import parts_of

logger = logging.getLogger(__name__)


def main() -> None:
    """Log the seconds of each kind of part, and of all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=26)
    parser.add_argument("--sessions", type=int, default=8313)
    given = parser.parse_args()
    for profile, plan in PROFILES.items():
        walk = walk_forward(given.sessions, plan.folds)
        seconds: Counter[str] = Counter()
        for part in parts_of(given.symbols, walk, plan):
            seconds[part.name.partition(",")[0].partition(" ")[0]] += part.cost
        kinds = ", ".join(f"{kind} {cost:.0f} s" for kind, cost in seconds.most_common(4))
        logger.info("%s: %.0f s at most: %s", profile, sum(seconds.values()), kinds)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
