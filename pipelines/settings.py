"""The one place where settings come from: ``SMARTINVEST_*`` variables, checked at start."""

import datetime as dt
import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from models.vocabulary import Source, TrainingProfile
from pipelines.errors import HomeError, SettingError
from pipelines.lineage import code_version
from pipelines.sessions import read_date

PREFIX = "SMARTINVEST_"

_LARGEST_SEED = 2**31 - 1
"""Keras takes 32 bits, and each network of a training adds its number to the seed."""


class Settings(BaseModel):
    """Everything a user may set, frozen after it was read.

    Make one with :func:`load_settings`, which turns every mistake into a ``SettingError``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(Path("var"), description="folder of all running state")
    store_url: str = Field("", description="SQLAlchemy URL of the SQL store")
    source: Source = Field(Source.SAMPLE, description="where market data comes from")
    session: dt.date | None = Field(None, description="session to advise on; newest if unset")
    lake_url: str = Field("", description="folder or s3:// URL of the lake; under home if unset")
    files_folder: Path | None = Field(None, description="folder that source `files` reads")
    universe_file: Path | None = Field(
        None, description="CSV of instruments and membership that replaces the bundled universe"
    )
    fred_api_key: SecretStr | None = Field(
        None, description="FRED key, for real-time vintages; the public CSV files if unset"
    )
    simulated_symbols: int = Field(50, ge=1, description="symbols of source `simulated`")
    simulated_years: int = Field(10, ge=1, le=70, description="years of source `simulated`")
    simulated_faults: str = Field(
        "", description="faults that source `simulated` injects, as names between commas"
    )
    training_profile: TrainingProfile = Field(
        TrainingProfile.QUICK, description="how much work a training does"
    )
    mlflow_url: str = Field(
        "",
        description="URL of an MLflow server, or of the database behind one, for trainings and "
        "models; a database file under home if unset",
    )
    search_url: str = Field(
        "",
        description="SQLAlchemy URL of the database of searches for model settings, which several "
        "workers may share; an SQLite file under home if unset",
    )
    accounts_per_shard: int = Field(
        10_000, ge=1, description="accounts that are advised and written together"
    )
    workers: int = Field(
        0, ge=0, description="processes that advise accounts at once; 0: one per core"
    )
    seed: int = Field(
        7, ge=0, le=_LARGEST_SEED, description="seed of training and of generated clients"
    )
    generated_clients: int = Field(
        1000, ge=1, description="clients that `make run` generates into an empty store"
    )

    @field_validator("home")
    @classmethod
    def _fits_into_a_url(cls, home: Path) -> Path:
        if "?" in str(home):
            raise PydanticCustomError(
                "home", "a question mark would end the path in the URLs of the databases under it"
            )
        return home

    @field_validator("session", mode="before")
    @classmethod
    def _is_written_as_a_date(cls, session: Any) -> Any:
        # pydantic would read 1672185600 as seconds since 1970.
        try:
            return read_date(session) if isinstance(session, str) else session
        except ValueError:
            raise PydanticCustomError("session", "it is no valid date YYYY-MM-DD") from None

    def model_post_init(self, _context: Any, /) -> None:
        """Make the home absolute and put the databases under it, where no URL is set."""
        home = self.home.expanduser().absolute()
        object.__setattr__(self, "home", home)
        if not self.store_url:
            object.__setattr__(self, "store_url", f"sqlite:///{home / 'store' / 'smartinvest.db'}")
        if not self.search_url:
            object.__setattr__(self, "search_url", f"sqlite:///{self.mlflow / 'search.db'}")

    @property
    def lake(self) -> Path:
        """Folder of a local lake; a remote one has no folder."""
        return Path(self.lake_url).expanduser().absolute() if self.lake_url else self.home / "lake"

    @property
    def warehouse(self) -> Path:
        """Folder of warehouse builds and the pointers to the published ones."""
        return self.home / "warehouse"

    @property
    def mlflow(self) -> Path:
        """Folder of MLflow's database file and artifacts, where no server keeps them."""
        return self.home / "mlflow"

    @property
    def airflow(self) -> Path:
        """AIRFLOW_HOME of the embedded Airflow."""
        return self.home / "airflow"

    @property
    def compiled(self) -> Path:
        """Folder of compiled loops: the code's own, where numba puts them, may be read-only.

        One for each state of the code: numba sees no change of a function that a loop calls from
        another file, and would go on with what it compiled before.
        """
        return self.home / "cache" / "numba" / code_version()

    @property
    def logs(self) -> Path:
        """Folder of the logs of processes that we start."""
        return self.home / "logs"

    def environment(self) -> dict[str, str]:
        """Variables that make a child process read these very settings, and keep to this home."""
        values = self.model_dump(mode="json", exclude_none=True)
        if self.fred_api_key is not None:
            values["fred_api_key"] = self.fred_api_key.get_secret_value()
        variables = {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}
        return variables | self.libraries_environment()

    def libraries_environment(self) -> dict[str, str]:
        """Variables that make libraries keep under the home what they keep; read at their import.

        A folder that a user has set for compiled loops has one for each state of the code, too.
        """
        chosen = Path(os.environ.get("NUMBA_CACHE_DIR") or self.compiled)
        own = chosen if chosen.name == code_version() else chosen / code_version()
        return {"NUMBA_CACHE_DIR": str(own)}


def load_settings(environ: Mapping[str, str] | None = None, **overrides: Any) -> Settings:
    """Read the settings from the environment, with overrides from a command line.

    Raises
    ------
    SettingError
        A variable with our prefix is unknown, or a value is not allowed.
    """
    environ = os.environ if environ is None else environ
    given = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(PREFIX) and value != ""
    }
    for name, value in given.items():
        if name not in Settings.model_fields:
            raise _unknown(name, value)
    given |= {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        raise SettingError(
            f"setting {PREFIX}{name.upper()}",
            first["input"],
            first["msg"][0].lower() + first["msg"][1:],
            f"Its meaning: {Settings.model_fields[name].description}.",
        ) from None


def ensure_home(settings: Settings) -> None:
    """Create the home folder and prove that it can be written.

    Raises
    ------
    HomeError
        The folder cannot be created or written.
    """
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
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


def _unknown(name: str, value: str) -> SettingError:
    known = [field.upper() for field in Settings.model_fields]
    close = difflib.get_close_matches(name.upper(), known, n=1)
    hint = f"Did you mean {PREFIX}{close[0]}?" if close else f"Known are {', '.join(known)}."
    thing = f"setting {PREFIX}{name.upper()}"
    return SettingError(thing, without_credentials(value), "there is no such setting", hint)


def without_credentials(url: str) -> str:
    """Return a text that may be a URL, however mistyped, without what stands before its host."""
    before, at, host = url.rpartition("@")
    return f"***@{host}" if at and ":" in before else url
