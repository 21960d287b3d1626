"""The folder of all running state, before anything is written into it."""

import os

from pipelines.errors import HomeError
from pipelines.settings.declared import PREFIX, Settings


def ensure_home(settings: Settings) -> None:
    """Create the home folder and prove that it can be written.

    Raises
    ------
    HomeError
        The folder cannot be created or written.
    """
    try:
        # The store's file, Airflow's keys and all logs lie in it; one that is there keeps its mode.
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = settings.home / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise HomeError(
            f"setting {PREFIX}HOME",
            settings.home,
            f"the folder cannot be written ({error.strerror})",
            "Choose a folder that you own, or mend its permissions.",
        ) from None
