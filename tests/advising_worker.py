"""A worker that advises groups: ``python advising_worker.py SETTINGS_JSON GROUPS_JSON``.

With ``KILL_IN_SHARD`` it is killed in the middle of writing the shard of that number.
"""

import json
import os
import signal
import sys

from pipelines.rebalance import Group, advise_group
from pipelines.rebalance.output import shards
from pipelines.settings import load_settings

_write = shards.write_shard
_insert = shards.insert_arrow


def main() -> None:
    """Read the arguments and advise."""
    settings = load_settings({}, **json.loads(sys.argv[1]))
    if "KILL_IN_SHARD" in os.environ:
        _kill_in(int(os.environ["KILL_IN_SHARD"]))
    for group in json.loads(sys.argv[2]):
        advise_group(settings, Group.of_plain(group))


def _kill_in(number: int) -> None:
    from pipelines.rebalance import shard_work

    def write(connection, identity, rows):  # type: ignore[no-untyped-def]
        if rows.key.number == number:
            shards.insert_arrow = _insert_and_die
        return _write(connection, identity, rows)

    shard_work.write_shard = write


def _insert_and_die(connection, table, rows):  # type: ignore[no-untyped-def]
    _insert(connection, table, rows)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
