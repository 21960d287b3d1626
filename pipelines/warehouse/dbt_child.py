"""Run dbt in a process of its own that ends when its parent does.

Started by path, not as a module: it needs nothing of ours, and the package would cost a second.
The parent holds the write end of our standard input; it closes when the parent dies.
"""

import os
import sys
import threading

PARENT_GONE = 70


def main() -> int:
    """Run one dbt command from the command line's arguments; 0 if everything passed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from dbt.cli.main import dbtRunner

    result = dbtRunner().invoke(sys.argv[1:])
    if result.exception is not None:
        sys.stderr.write(f"{result.exception}\n")
    return 0 if result.success else 1


def _end_with_parent() -> None:
    # Unbuffered: a lock held by this thread would break the interpreter's shutdown.
    os.read(sys.stdin.fileno(), 1)
    os._exit(PARENT_GONE)


if __name__ == "__main__":
    sys.exit(main())
