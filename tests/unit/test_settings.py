"""Settings: read once, checked at start, handed on to child processes unchanged."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from models.vocabulary import Source
from pipelines.errors import HomeError, SettingError
from pipelines.lineage import REPOSITORY
from pipelines.settings import Settings, ensure_home, load_settings


def test_an_empty_environment_gives_the_sample_and_databases_under_home(tmp_path: Path) -> None:
    settings = load_settings({"SMARTINVEST_HOME": str(tmp_path)})
    assert settings.source is Source.SAMPLE
    assert settings.store_url == f"sqlite:///{tmp_path}/store/smartinvest.db"
    assert settings.search_url == f"sqlite:///{tmp_path}/mlflow/search.db"
    assert settings.session is None


def test_the_readme_lists_every_setting_and_no_other() -> None:
    table = (REPOSITORY / "README.md").read_text("utf-8").partition("## Settings\n")[2]
    rows = [line for line in table.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    listed = [name for row in rows for name in re.findall(r"`SMARTINVEST_(\w+)`", row)]
    assert sorted(listed) == sorted(name.upper() for name in Settings.model_fields)


def test_an_unknown_setting_is_refused_with_the_nearest_known_name() -> None:
    with pytest.raises(SettingError, match=r"SOURC.*Did you mean SMARTINVEST_SOURCE\?"):
        load_settings({"SMARTINVEST_SOURC": "sample"})


def test_an_unknown_setting_that_holds_a_password_does_not_show_it() -> None:
    with pytest.raises(SettingError, match=r"STORE_UR = '\*\*\*'") as caught:
        load_settings({"SMARTINVEST_STORE_UR": "postgresql://anna:secret@host/db"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("SOURCE", "bloomberg", "'sample', 'yahoo', 'files' or 'simulated'"),
        ("SESSION", "yesterday", "valid date"),
        ("SESSION", "20221228", "YYYY-MM-DD"),
        ("SESSION", "1672185600", "YYYY-MM-DD"),
        ("SEED", "-1", "greater than or equal to 0"),
        ("SEED", "2147483648", "less than or equal to 2147483647"),
        ("HOME", "/tmp/why?", "question mark"),
        ("GENERATED_CLIENTS", "0", "greater than or equal to 1"),
        ("TRAINING_PROFILE", "slow", "'quick' or 'full'"),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_what_is_allowed(
    name: str, value: str, expected: str
) -> None:
    with pytest.raises(SettingError) as caught:
        load_settings({f"SMARTINVEST_{name}": value})
    for part in (f"SMARTINVEST_{name}", repr(value), expected):
        assert part in str(caught.value)


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_settings({"SMARTINVEST_SESSION": ""}).session is None


def test_an_override_wins_over_the_environment_unless_it_is_none() -> None:
    environ = {"SMARTINVEST_SEED": "3"}
    assert load_settings(environ, seed=5).seed == 5
    assert load_settings(environ, seed=None).seed == 3


def test_other_programs_variables_are_ignored() -> None:
    assert load_settings({"AIRFLOW_HOME": "elsewhere"}) == load_settings({})


def test_settings_cannot_be_changed_after_they_were_read() -> None:
    with pytest.raises(ValidationError):
        load_settings({}).seed = 3  # type: ignore[misc]


def test_a_child_process_reads_the_very_same_settings(tmp_path: Path) -> None:
    settings = load_settings(
        {}, home=tmp_path / "a b", session="2022-12-28", seed=11, training_profile="full"
    )
    assert load_settings(settings.environment()) == settings


def test_a_relative_home_is_made_absolute_before_anybody_changes_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings({"SMARTINVEST_HOME": "var"}).home == tmp_path / "var"


def test_every_setting_says_what_it_means() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "occupied").write_text("a file")
    settings = load_settings({}, home=tmp_path / "occupied" / "home")
    with pytest.raises(HomeError, match="occupied"):
        ensure_home(settings)


def test_a_new_home_is_its_owners_alone_and_one_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o750)
    for name, mode in (("new", 0o700), ("shared", 0o750)):
        settings = load_settings({}, home=tmp_path / name)
        ensure_home(settings)
        assert settings.home.stat().st_mode & 0o777 == mode


def test_a_home_that_can_be_written_is_left_empty(tmp_path: Path) -> None:
    settings = load_settings({}, home=tmp_path / "home")
    ensure_home(settings)
    assert list(settings.home.iterdir()) == []


COMPILED_IN = """
from pipelines.cli.common import prepare
prepare("2022-12-28")
from ml.rolling_kernels import trailing_mean
print(trailing_mean.stats.cache_path)
"""


def test_loops_are_compiled_into_the_home_as_the_code_may_be_read_only(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    ended = subprocess.run(
        [sys.executable, "-c", COMPILED_IN],
        env={**environ, "SMARTINVEST_HOME": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    settings = load_settings({}, home=tmp_path)
    assert Path(ended.stdout.strip()).is_relative_to(settings.compiled)


def test_other_code_does_not_take_loops_that_were_compiled_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({}, home=tmp_path)
    before = settings.compiled
    monkeypatch.setattr("pipelines.settings.declared.code_version", lambda: "0.1.0+other")
    assert settings.compiled != before
    assert settings.compiled.is_relative_to(tmp_path)


def test_in_a_folder_that_a_user_has_set_other_code_has_its_own_loops_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    first = load_settings({}, home=tmp_path).libraries_environment()["NUMBA_CACHE_DIR"]
    assert Path(first).parent == tmp_path / "chosen"
    monkeypatch.setenv("NUMBA_CACHE_DIR", first)  # as a child process has it
    again = load_settings({}, home=tmp_path).libraries_environment()["NUMBA_CACHE_DIR"]
    assert again == first
    monkeypatch.setattr("pipelines.settings.declared.code_version", lambda: "0.1.0+other")
    other = load_settings({}, home=tmp_path).libraries_environment()["NUMBA_CACHE_DIR"]
    assert other != first
