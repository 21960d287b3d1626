"""Published builds in a lake that machines share: one builds, the others fetch what they lack.

    warehouse/source=<source>/files/<sha256>.<suffix>                  bytes of builds, each once
    warehouse/source=<source>/builds/<build>/<sha256>.json             which files are a build
    warehouse/source=<source>/sessions/<session>/<generation>.json     a session's newest build
    warehouse/source=<source>/results/<session>/<moment>.json          what became of each model

Nothing is ever replaced, so nothing is seen by half: a build is there once its list is, which is
written when all its files are. A session's pointer is its newest generation. The next one can be
created by one builder only, whoever else read the same before it; so none overwrites what it has
not seen. The current build is the newest session's.
"""

from pipelines.settings import Settings


def root(settings: Settings) -> str:
    """Return the folder of a source's builds inside the lake."""
    return f"warehouse/source={settings.source.value}"
