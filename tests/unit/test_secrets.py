"""Secrets are read from the environment or files, refused where weak, and never shown."""

import re
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from models.credentials import secrets_in_url, without_credentials, without_secrets
from pipelines.errors import SettingError
from pipelines.lineage import REPOSITORY
from pipelines.operate import serve
from pipelines.operate.processes import Household, ProcessRecord
from pipelines.secrets import (
    SHORTEST_KEY,
    environment_secrets,
    read_secret,
    require_strong,
    weakness,
)
from pipelines.settings import load_settings, secret_names

PASSWORD = "Pa55/w@rd-of-anna"
QUOTED = "Pa55%2Fw%40rd-of-anna"
URLS = (
    f"postgresql://anna:{QUOTED}@db.example:5432/smartinvest",
    f"postgresql://db.example/smartinvest?user=anna&password={QUOTED}",
    f"s3://AKIAEXAMPLE:{QUOTED}@bucket/prefix?region=eu-west-1",
    f"s3://bucket/prefix?access_key=AKIAEXAMPLE&secret_key={QUOTED}&region=eu-west-1",
    f"https://anna:{QUOTED}@mlflow.example/",
    f"redis://:{QUOTED}@redis.example:6379/0",
)


@pytest.mark.parametrize("url", URLS)
def test_no_part_of_a_secret_in_a_url_is_shown(url: str) -> None:
    for text in (without_credentials(url), without_secrets(f"cannot open '{url}': refused")):
        assert QUOTED not in text
        assert "example" in text or "bucket" in text
    assert "refused" in without_secrets(f"cannot open '{url}': refused")


@pytest.mark.parametrize("url", URLS)
def test_a_secret_is_found_in_a_url_as_written_and_as_meant(url: str) -> None:
    assert {QUOTED, PASSWORD} <= secrets_in_url(url)


def test_a_url_without_secrets_is_shown_as_it_is() -> None:
    for url in ("sqlite:////home/anna/store.db", "s3://bucket/prefix?region=eu-west-1", "var/lake"):
        assert without_credentials(url) == without_secrets(url) == url
        assert secrets_in_url(url) == set()


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    assert without_secrets(f"login of {PASSWORD} failed", {PASSWORD}) == "login of *** failed"


def test_secrets_are_found_in_json_and_beside_a_key_that_is_being_changed() -> None:
    environ = {
        "AIRFLOW_CONN_SMTP_DEFAULT": '{"login": "anna", "password": "mail-Pa55word", "port": 25}',
        "AIRFLOW__SECRETS__BACKEND_KWARGS": '{"url": "https://v.example", "secret_id": "vault-1"}',
        "AIRFLOW__OPENLINEAGE__TRANSPORT": '{"type": "http", "auth": {"apiKey": "lineage-key"}}',
        "OPENLINEAGE_API_KEY": "lineage-key-2",
        "https_proxy": "http://anna:proxy-Pa55word@proxy.example:3128",
        "AIRFLOW__CORE__FERNET_KEY": "new-fernet-key,old-fernet-key",
        "AIRFLOW__CORE__PARALLELISM": "64",
        "PATH_OF_SOMEBODY": '{"password": "not ours"}',
    }
    assert environment_secrets(environ) == {
        "mail-Pa55word",
        "vault-1",
        "lineage-key",
        "lineage-key-2",
        "proxy-Pa55word",
        "new-fernet-key",
        "old-fernet-key",
        "new-fernet-key,old-fernet-key",
    }


def test_settings_show_no_secret_of_theirs() -> None:
    environ = {
        "SMARTINVEST_STORE_URL": URLS[0],
        "SMARTINVEST_LAKE_URL": URLS[3],
        "SMARTINVEST_MLFLOW_URL": URLS[4],
        "SMARTINVEST_SEARCH_URL": URLS[1],
        "SMARTINVEST_FRED_API_KEY": PASSWORD,
    }
    settings = load_settings(environ)
    assert {PASSWORD, QUOTED} <= settings.secrets()
    for text in (repr(settings), str(settings)):
        assert PASSWORD not in text
        assert QUOTED not in text


def test_every_setting_that_is_a_url_or_a_key_counts_as_secret() -> None:
    named = {
        name for name in type(load_settings({})).model_fields if name.endswith(("_url", "_key"))
    }
    assert named
    assert named <= set(secret_names())


def test_an_unknown_setting_shows_no_value_since_a_mistyped_key_is_a_key() -> None:
    with pytest.raises(SettingError, match="Did you mean SMARTINVEST_FRED_API_KEY") as caught:
        load_settings({"SMARTINVEST_FRED_APIKEY": PASSWORD})
    assert PASSWORD not in "".join(traceback.format_exception(caught.value))


def test_a_secret_may_come_from_a_file_without_its_last_line_end(tmp_path: Path) -> None:
    file = tmp_path / "store_url"
    file.write_text(f"{URLS[0]}\n")
    settings = load_settings({"SMARTINVEST_STORE_URL_FILE": str(file)})
    assert settings.store_url == URLS[0]
    assert load_settings(settings.environment()) == settings


def test_only_secrets_come_from_files() -> None:
    with pytest.raises(SettingError, match=r"SOURCE_FILE = .*no such setting"):
        load_settings({"SMARTINVEST_SOURCE_FILE": "/run/secrets/source"})


def test_a_secret_that_is_set_twice_or_not_readable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for environ, problem in (
        ({"KEY": "x", "KEY_FILE": "/run/secrets/key"}, "KEY is set, too"),
        ({"KEY_FILE": str(tmp_path / "missing")}, "No such file"),
        ({"KEY_FILE": str(tmp_path / "empty")}, "it is empty"),
        ({"KEY_FILE": str(tmp_path / "bytes")}, "not text in UTF-8"),
    ):
        with pytest.raises(SettingError, match=problem):
            read_secret(environ, "KEY")
    assert read_secret({}, "KEY") is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        "changeme",
        "change_me_in_production",
        "please-replace-me",
        "<your password>",
        "airflow",
        "postgres123!",
        "Password1",
        "smartinvest_app",
        "aaaaaaaaaaaaaaaa",
        "123456789012345",
        "short-4u",
    ],
)
def test_a_default_a_placeholder_or_a_short_text_is_no_secret(value: str) -> None:
    with pytest.raises(SettingError, match="secret REDIS_PASSWORD") as caught:
        require_strong("REDIS_PASSWORD", value)
    assert not value or repr(value) not in str(caught.value)


def test_a_random_text_is_a_secret_and_a_key_needs_more_of_it() -> None:
    assert require_strong("X", "9f2c41d07be65a83") == "9f2c41d07be65a83"
    assert "fewer than 32" in weakness("9f2c41d07be65a83", SHORTEST_KEY)


class NotedHousehold(Household):
    """Notes what is to be started, and starts nothing."""

    def start(
        self, name: str, command: Sequence[str], environ: Mapping[str, str], **_: Any
    ) -> ProcessRecord:
        self.noted = list(command), dict(environ)
        raise InterruptedError(name)


def test_no_command_that_we_start_has_a_secret_among_its_arguments(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path, mlflow_url=URLS[0])
    household = NotedHousehold(settings, "serve")
    with pytest.raises(InterruptedError):
        serve._start_mlflow(settings, household)
    command, environ = household.noted
    assert command[-2:] == ["--workers", "1"]
    assert not any(QUOTED in word for word in command)
    assert environ["MLFLOW_BACKEND_STORE_URI"] == URLS[0]


def test_the_file_of_a_cluster_names_secrets_in_no_command() -> None:
    import yaml

    services = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))["services"]
    secret = re.compile(r"(?<!\$)\$\{[A-Z_]*(PASSWORD|SECRET|KEY|URL)")
    for name, service in services.items():
        told = " ".join(map(str, service.get("command", [])))
        assert not secret.search(told), f"{name}: {told}"
