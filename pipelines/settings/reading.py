"""Settings out of the environment, with what a command line says on top."""

import difflib
import os
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from models.credentials import HIDDEN
from pipelines.errors import SettingError
from pipelines.secrets import FILE_SUFFIX, read_secret
from pipelines.settings.declared import PREFIX, Settings, secret_names


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment, with overrides from a command line.

    Raises
    ------
    SettingError
        A variable with our prefix is unknown, a value is not allowed, or the file of a secret
        (``SMARTINVEST_STORE_URL_FILE`` for ``SMARTINVEST_STORE_URL``) cannot be read.
    """
    environ = os.environ if environ is None else environ
    of_file = {f"{PREFIX}{name.upper()}{FILE_SUFFIX}": name for name in secret_names()}
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value != "" and name not in of_file
    }
    for name in given:
        if name not in Settings.model_fields:
            raise _unknown(name)
    for variable, name in of_file.items():
        if environ.get(variable):
            given[name] = read_secret(environ, variable.removesuffix(FILE_SUFFIX)) or ""
    given |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SettingError(
            f"setting {PREFIX}{name.upper()}",
            HIDDEN if name in secret_names() else first["input"],
            first["msg"][0].lower() + first["msg"][1:],
            f"Its meaning: {Settings.model_fields[name].description}.",
        ) from None


def _unknown(name: str) -> SettingError:
    known = [field.upper() for field in Settings.model_fields]
    close = difflib.get_close_matches(name.upper(), known, n=1)
    hint = f"Did you mean {PREFIX}{close[0]}?" if close else f"Known are {', '.join(known)}."
    thing = f"setting {PREFIX}{name.upper()}"
    # Whatever it holds: a mistyped key is a key.
    return SettingError(thing, HIDDEN, "there is no such setting", hint)
