"""Every setting there is, with its type, its default and what it means."""

import datetime as dt
import os
import re
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
)
from pydantic_core import PydanticCustomError

from models.credentials import secrets_in_url
from models.vocabulary import Source, TrainingProfile
from pipelines.lineage import code_version
from pipelines.sessions import read_date

PREFIX = "SMARTINVEST_"

_ROLE = r"^[a-z_][a-z0-9_]{0,62}$"
_LARGEST_SEED = 2**31 - 1
"""Keras takes 32 bits, and each network of a training adds its number to the seed."""

_MAIL_ADDRESS = re.compile(r"[^\s@,]+@[^\s@,]+")


class Settings(BaseModel):
    """Everything a user may set, frozen after it was read.

    Make one with :func:`load_settings`, which turns every mistake into a ``SettingError``. What is
    left out of its ``repr`` holds secrets, or may: a URL its password.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path = Field(Path("var"), description="folder of all running state")
    store_url: str = Field("", description="SQLAlchemy URL of the SQL store", repr=False)
    store_app_role: str = Field(
        "smartinvest_app",
        pattern=_ROLE,
        description="role of a PostgreSQL store that apps log in as: it adds inputs",
    )
    store_analyst_role: str = Field(
        "smartinvest_analyst",
        pattern=_ROLE,
        description="role of a PostgreSQL store that analysts log in as: it reads what is not "
        "personal",
    )
    source: Source = Field(Source.SAMPLE, description="where market data comes from")
    session: dt.date | None = Field(None, description="session to advise on; newest if unset")
    lake_url: str = Field(
        "", description="folder or s3:// URL of the lake; under home if unset", repr=False
    )
    files_folder: Path | None = Field(None, description="folder that source `files` reads")
    universe_file: Path | None = Field(
        None, description="CSV of instruments and membership that replaces the bundled universe"
    )
    fred_api_key: SecretStr | None = Field(
        None,
        description="FRED key, for real-time vintages; the public CSV files if unset",
        repr=False,
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
        repr=False,
    )
    search_url: str = Field(
        "",
        description="SQLAlchemy URL of the database of searches for model settings, which several "
        "workers may share; an SQLite file under home if unset",
        repr=False,
    )
    accounts_per_shard: int = Field(
        10_000, ge=1, description="accounts that are advised and written together"
    )
    workers: int = Field(
        0, ge=0, description="processes that advise accounts at once; 0: one per core"
    )
    shards_per_group: int = Field(
        0,
        ge=0,
        description="shards that one task of the DAG advises, on any worker; 0: all of a run, "
        "which suits one machine",
    )
    alert_email: str = Field(
        "", description="addresses that alerts are mailed to, between commas; nobody if unset"
    )
    alert_webhook: SecretStr | None = Field(
        None,
        description="http(s) URL that alerts are posted to as JSON; none if unset",
        repr=False,
    )
    advice_due_hours: float = Field(
        12.0, gt=0, description="hours after a session's close when its advice is late"
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

    @field_validator("alert_email")
    @classmethod
    def _holds_addresses(cls, addresses: str) -> str:
        if not all(_MAIL_ADDRESS.fullmatch(address) for address in _split(addresses)):
            raise PydanticCustomError("alert_email", "it is no list of mail addresses")
        return addresses

    @field_validator("alert_webhook")
    @classmethod
    def _is_a_web_address(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith(("http://", "https://")):
            raise PydanticCustomError("alert_webhook", "it is no URL of http or https")
        return url

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
    def shares_lake(self) -> bool:
        """Whether the lake lies outside of the home, so that other machines may read and write it.

        What one task hands to another then goes through it, and the home is this machine's scratch.
        """
        return bool(self.lake_url) and ("://" in self.lake_url or self.lake != self.home / "lake")

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

    @property
    def alert_addresses(self) -> list[str]:
        """Whom alerts are mailed to."""
        return _split(self.alert_email)

    def secrets(self) -> set[str]:
        """Passwords and keys in the settings, which no text that we write may show."""
        found: set[str] = set()
        for name in secret_names():
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                found.add(value.get_secret_value())
            elif value:
                found |= secrets_in_url(value)
        return found

    def environment(self) -> dict[str, str]:
        """Variables that make a child process read these very settings, and keep to this home."""
        values = self.model_dump(mode="json", exclude_none=True)
        for name in values:
            if isinstance(secret := getattr(self, name), SecretStr):
                values[name] = secret.get_secret_value()
        variables = {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}
        return variables | self.libraries_environment()

    def libraries_environment(self) -> dict[str, str]:
        """Variables that make libraries keep under the home what they keep; read at their import.

        A folder that a user has set for compiled loops has one for each state of the code, too.
        """
        chosen = Path(os.environ.get("NUMBA_CACHE_DIR") or self.compiled)
        own = chosen if chosen.name == code_version() else chosen / code_version()
        return {"NUMBA_CACHE_DIR": str(own)}


@cache
def secret_names() -> tuple[str, ...]:
    """Return the settings that hold secrets, or may."""
    return tuple(name for name, field in Settings.model_fields.items() if not field.repr)


def _split(addresses: str) -> list[str]:
    return [address.strip() for address in addresses.split(",") if address.strip()]
