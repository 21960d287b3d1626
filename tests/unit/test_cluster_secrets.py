"""A cluster starts with strong secrets only, and says which one is not."""

import base64
import os
from pathlib import Path

import pytest

from pipelines.errors import SettingError
from pipelines.operate.cluster.strong_secrets import require_strong_secrets
from pipelines.secrets import with_secrets_of_files

PASSWORDS = ("AIRFLOW_DB_PASSWORD", "ADMIN_PASSWORD")
GOOD = {
    "AIRFLOW_DB_PASSWORD": "0d4a1f7c93be5526",
    "ADMIN_PASSWORD": "b6f2a9081ce473d5",
    "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(bytes(range(32))).decode(),
    "AIRFLOW__API__SECRET_KEY": "6f1c" * 8,
    "AIRFLOW__API_AUTH__JWT_SECRET": "94be" * 16,
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://airflow:c3a8f0127d9be465@db/airflow",
    "AIRFLOW__CELERY__BROKER_URL": "redis://:e58b17fd0294ca36@redis:6379/0",
    "SMARTINVEST_STORE_URL": "postgresql://smartinvest_pipeline:18d5b3e0f64a72c9@db/smartinvest",
    "STORE_ADMIN_URL": "postgresql://postgres:27e9b40c5fd1836a@db/postgres",
}


def test_good_secrets_pass() -> None:
    require_strong_secrets(GOOD, PASSWORDS)


@pytest.mark.parametrize("name", GOOD)
def test_each_missing_secret_is_named(name: str) -> None:
    with pytest.raises(SettingError, match=f"secret {name}"):
        require_strong_secrets({**GOOD, name: ""}, PASSWORDS)


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("ADMIN_PASSWORD", "admin", "everybody knows"),
        ("ADMIN_PASSWORD", "changeme-please", "everybody knows"),
        ("ADMIN_PASSWORD", "k7#qP", "5 characters, fewer than 12"),
        ("ADMIN_PASSWORD", GOOD["AIRFLOW_DB_PASSWORD"], "the same as AIRFLOW_DB_PASSWORD"),
        ("AIRFLOW__CORE__FERNET_KEY", "n0t*base64" * 4, "not base64|bytes, not 32"),
        ("AIRFLOW__CORE__FERNET_KEY", "QUJD" * 10, "30 bytes, not 32"),
        ("AIRFLOW__API_AUTH__JWT_SECRET", "0d4a1f7c93be552b", "fewer than 32"),
        (
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            "postgresql://airflow:airflow@db/airflow",
            "everybody knows",
        ),
        ("AIRFLOW__CELERY__BROKER_URL", "redis://redis:6379/0", "it is not set"),
        ("SMARTINVEST_STORE_URL", "d5b3e0f64a72c9@db", "no URL"),
        ("AIRFLOW__CELERY__BROKER_URL", "redis://:e58b/7fd0294ca36@redis:6379/0", "in a URL"),
        ("STORE_ADMIN_URL", "postgresql://postgres:27e9@40c5fd1836a@db/postgres", "in a URL"),
    ],
)
def test_a_weak_secret_is_named_and_not_shown(name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingError, match=problem) as caught:
        require_strong_secrets({**GOOD, name: value}, PASSWORDS)
    assert f"{value!r}" not in str(caught.value)
    assert "d5b3e0f64a72c9" not in str(caught.value)


def test_a_second_fernet_key_may_follow_while_keys_are_changed() -> None:
    second = base64.urlsafe_b64encode(os.urandom(32)).decode()
    both = f"{GOOD['AIRFLOW__CORE__FERNET_KEY']},{second}"
    require_strong_secrets({**GOOD, "AIRFLOW__CORE__FERNET_KEY": both}, PASSWORDS)


def test_what_airflow_asks_a_command_or_a_backend_for_need_not_be_set() -> None:
    environ = {
        **GOOD,
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__CORE__FERNET_KEY_CMD": "cat /run/secrets/fernet",
        "AIRFLOW__API_AUTH__JWT_SECRET": "",
        "AIRFLOW__API_AUTH__JWT_SECRET_SECRET": "jwt",
    }
    require_strong_secrets(environ, PASSWORDS)


def test_passwords_and_addresses_of_the_databases_may_be_files(tmp_path: Path) -> None:
    environ = dict(GOOD)
    for name in ("AIRFLOW_DB_PASSWORD", "SMARTINVEST_STORE_URL"):
        (tmp_path / name).write_text(environ.pop(name) + "\n")
        environ[f"{name}_FILE"] = str(tmp_path / name)
    names = ("AIRFLOW_DB_PASSWORD", "SMARTINVEST_STORE_URL", "STORE_ADMIN_URL")
    read = with_secrets_of_files(environ, names)
    assert {name: read[name] for name in GOOD} == GOOD
    require_strong_secrets(read, PASSWORDS)
