"""Ask a server whether it is well: the health checks of docker-compose.yml, without curl.

``python -P probe.py URL`` ends with 0 where the URL answers with success;
``python -P probe.py URL COMPONENT`` only where its JSON also says that this component is healthy.
It is a script of its own, on the standard library alone, since it runs every few seconds.
"""

import json
import sys
import urllib.request

TIMEOUT_S = 8.0


def problem_of(url: str, component: str | None = None) -> str | None:
    """Return what is wrong with a server, or None where it is well.

    Parameters
    ----------
    url : an ``http`` URL that is answered with success by a healthy server.
    component : a key of the answer's JSON, under which ``status`` is to be ``healthy``.
    """
    # A proxy has no business between the services of a cluster.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=TIMEOUT_S) as answer:
            body = answer.read()
    except OSError as error:
        return f"{url}: {error}"
    if component is None:
        return None
    status = json.loads(body)[component]["status"]
    return None if status == "healthy" else f"{url}: {component} is {status}"


if __name__ == "__main__":
    sys.exit(problem_of(*sys.argv[1:3]))
