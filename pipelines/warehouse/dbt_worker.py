"""Run dbt in a process of its own that ends when its parent does.

Started by path, not as a module: dbt need not wait for our package. The parent holds the write end
of our standard input: the command comes by it, as one line of JSON, and it closes when the parent
dies. Until then dbt is imported, and what its Python models compute with: the compiler alone takes
most of a second.
"""

import gc
import importlib
import json
import os
import sys
import threading

PARENT_GONE = 70


def main() -> int:
    """Run the dbt command that the parent sends; 0 if everything passed."""
    from dbt.cli.main import dbtRunner

    importlib.import_module("pipelines.warehouse.panel.build")
    # What is imported stays. Looking through it for garbage again and again took 6 % of a build.
    gc.freeze()
    line = _line()
    if not line:
        return PARENT_GONE
    threading.Thread(target=_end_with_parent, daemon=True).start()
    result = dbtRunner().invoke(json.loads(line))
    if result.exception is not None:
        sys.stderr.write(f"{result.exception}\n")
    return 0 if result.success else 1


def _line() -> bytes:
    # Unbuffered: a lock held by a reader of sys.stdin would break the interpreter's shutdown.
    line = bytearray()
    while (byte := os.read(sys.stdin.fileno(), 1)) not in (b"", b"\n"):
        line += byte
    return bytes(line)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)
    os._exit(PARENT_GONE)


if __name__ == "__main__":
    sys.exit(main())
