"""Run dbt in a process of its own that ends when its parent does.

Started by path, not as a module: dbt need not wait for our package. The parent holds the write end
of our standard input: the command comes by it, as one line of JSON, and it closes when the parent
dies. Until then dbt is imported, and what its Python models compute with: the compiler and its
kernel take a second. The project is parsed too, where the parent said how.
"""

import gc
import importlib
import json
import os
import sys
import threading

PARENT_GONE = 70


def main(parse: list[str]) -> int:
    """Run the dbt command that the parent sends; 0 if everything passed.

    Parameters
    ----------
    parse : the command that parses the project for it; empty if it parses for itself.
    """
    # What is imported stays. Looking through it for garbage again and again took 6 % of a build.
    gc.disable()
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    parsed = dbtRunner().invoke(parse) if parse else None
    _prepare_panel()
    gc.freeze()
    gc.enable()
    line = _line()
    if not line:
        return PARENT_GONE
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if parsed is None:
        result = dbtRunner().invoke(json.loads(line))
    elif isinstance(parsed.result, Manifest):
        result = dbtRunner(parsed.result).invoke(json.loads(line))
    else:
        result = parsed
    if result.exception is not None:
        sys.stderr.write(f"{result.exception}\n")
    return 0 if result.success else 1


def _prepare_panel() -> None:
    """Import what the panel is built with, also what Arrow imports late; load the kernel."""
    for name in ("pipelines.warehouse.panel.build", "pandas", "pyarrow.dataset"):
        importlib.import_module(name)
    import numpy as np

    from pipelines.warehouse.panel.bars import Anchors, Bars
    from pipelines.warehouse.panel.newest import newest_features

    one = np.ones(1)
    newest_features([(Bars(one, one, one, one, one, one, one, one), Anchors(1, 1.0, 1.0, 1.0))])


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
    sys.exit(main(json.loads(sys.argv[1])))
