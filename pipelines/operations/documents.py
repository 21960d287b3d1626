"""Pages that other machines have left in the lake where machines share it; by name, no others.

Who checks data or runs `smartinvest docs` need not be who shows the pages.
"""

from pipelines.documentation.places import PAGES
from pipelines.handed_on import handed_on
from pipelines.quality.data_docs import folder, read_page
from pipelines.settings import Settings


def shared_document(settings: Settings, path: str) -> str | None:
    """Return a page's HTML; None where no lake is shared or it has none of that name.

    Parameters
    ----------
    path : below ``docs/``; may come from anywhere, such as an address that somebody typed.

    Raises
    ------
    LakeError
        The lake cannot be read.
    """
    where, name = _place(path)
    if not settings.shares_lake:
        return None
    if where == folder(settings):
        return read_page(settings, name)
    if f"{where}/{name}" not in PAGES:
        return None
    try:
        return handed_on(settings).read_bytes(f"{where}/{name}").decode()
    except FileNotFoundError:
        return None


def is_shared(settings: Settings, path: str) -> bool:
    """Say whether the lake has a page, without reading it.

    Raises
    ------
    LakeError
        The lake cannot be read.
    """
    where, name = _place(path)
    is_named = where == folder(settings) or f"{where}/{name}" in PAGES
    return settings.shares_lake and is_named and bool(handed_on(settings).files(where, name))


def _place(path: str) -> tuple[str, str]:
    where, _, name = f"docs/{path}".rpartition("/")
    return where, name
