"""The one place where settings come from: ``SMARTINVEST_*`` variables, checked at start.

declared  every setting, its type and its meaning
reading   from the environment, and what is wrong there
home      the folder of all running state
"""

from pipelines.settings.declared import Settings, secret_names
from pipelines.settings.home import ensure_home
from pipelines.settings.reading import load_settings

__all__ = ["Settings", "ensure_home", "load_settings", "secret_names"]
