"""What the native cluster makes of a compose file, without starting anything."""

import re
import stat
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import REPOSITORY
from pipelines.operate.cluster import variables as values
from pipelines.operate.cluster.compose import interpolate, read_services, seconds
from pipelines.operate.cluster.container import Container
from pipelines.operate.cluster.probe import problem_of
from pipelines.settings import load_settings

FILE = REPOSITORY / "docker-compose.yml"
GIVEN = {name: f"{name.lower()}-made-up" for name in values.SECRETS}


def containers(home: Path, **more: str) -> dict[str, Container]:
    settings = load_settings({}, home=home)
    found = read_services(FILE, values.addresses() | GIVEN | more)
    return {name: Container(settings, service) for name, service in found.items()}


def test_each_container_runs_the_very_command_of_the_file(tmp_path: Path) -> None:
    document = yaml.safe_load(FILE.read_text("utf-8"))

    for name, container in containers(tmp_path).items():
        told = [word.replace("$$", "$") for word in document["services"][name]["command"]]
        assert len(container.command) == len(told), name
        here = [word.replace(f"{tmp_path}/cluster/volumes/redis", "/data")
                for word in container.command]  # fmt: skip
        for word, pattern in zip(here, told, strict=True):
            # What a variable stands for may be anything; every other letter is the file's.
            parts = re.split(r"\$\{[^}]*\}", pattern)
            assert re.fullmatch(r"[\w.:/-]*".join(map(re.escape, parts)), word), name


def test_a_container_has_the_environment_of_the_file_and_nothing_of_this_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMARTINVEST_STORE_URL", "sqlite:////tmp/mine.db")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "LocalExecutor")
    monkeypatch.setenv("MY_TOKEN", "mine")
    document = yaml.safe_load(FILE.read_text("utf-8"))

    for name, container in containers(tmp_path).items():
        environ = container.environment()
        of_file = set(document["services"][name]["environment"])
        of_image = {"PATH", "PYTHONPATH", "NUMBA_CACHE_DIR", "HOSTNAME"}
        assert set(environ) - of_image - {"LANG", "LC_ALL", "TMPDIR", "TZ"} <= of_file, name
    worker = containers(tmp_path)["airflow-worker"].environment()
    assert worker["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert worker["SMARTINVEST_STORE_URL"].endswith("/smartinvest")


def test_paths_in_a_container_are_folders_of_the_home(tmp_path: Path) -> None:
    found = containers(tmp_path)
    first, second = found["airflow-worker"], Container(
        found["airflow-worker"].settings, found["airflow-worker"].service, 2
    )  # fmt: skip

    one, two = first.environment(), second.environment()

    assert one["SMARTINVEST_LAKE_URL"] == two["SMARTINVEST_LAKE_URL"]
    assert one["SMARTINVEST_LAKE_URL"] == str(tmp_path / "cluster" / "volumes" / "lake")
    assert one["SMARTINVEST_HOME"] != two["SMARTINVEST_HOME"]
    assert one["AIRFLOW_HOME"] == f"{one['SMARTINVEST_HOME']}/airflow"
    assert one["AIRFLOW__CORE__DAGS_FOLDER"] == str(REPOSITORY / "dags")
    assert {one["HOSTNAME"], two["HOSTNAME"]} == {"airflow-worker-1", "airflow-worker-2"}


def test_everything_listens_on_the_loopback_only(tmp_path: Path) -> None:
    for name, container in containers(tmp_path).items():
        told = " ".join((*container.command, *container.environment().values()))
        assert "0.0.0.0" not in told, name


def test_a_setting_without_a_value_is_passed_on_where_it_is_set(tmp_path: Path) -> None:
    plain = containers(tmp_path)["airflow-worker"].environment()
    told = containers(tmp_path, SMARTINVEST_SOURCE="simulated")["airflow-worker"].environment()

    assert "SMARTINVEST_SOURCE" not in plain
    assert told["SMARTINVEST_SOURCE"] == "simulated"


def test_as_many_workers_start_as_are_asked_for() -> None:
    given = values.addresses() | GIVEN

    assert read_services(FILE, given)["airflow-worker"].replicas == 2
    assert read_services(FILE, given | {"WORKERS": "5"})["airflow-worker"].replicas == 5


def test_variables_are_filled_in_as_compose_does() -> None:
    told = {"HOST": "db", "EMPTY": ""}

    assert interpolate("${HOST}:${PORT:-5432}", told) == "db:5432"
    assert interpolate("${EMPTY:-full} ${MISSING}$$HOME", told) == "full $HOME"
    with pytest.raises(ProcessError, match=r"PASSWORD.*needs it"):
        interpolate("${PASSWORD:?see .env.example}", told)
    with pytest.raises(ProcessError, match="cannot read this use"):
        interpolate("${HOST:+set}", told)


def test_durations_are_read_as_compose_does() -> None:
    assert seconds("1m30s") == 90.0
    assert seconds("500ms") == 0.5
    with pytest.raises(ProcessError, match="no duration"):
        seconds("soon")


def test_what_a_native_cluster_cannot_do_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text("services: {db: {command: [a], restart: 'no', gpus: all}}")

    with pytest.raises(ProcessError, match="service db = 'gpus'"):
        read_services(file, {})


def test_services_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    on = "{command: [x], restart: 'no', depends_on: {%s: {condition: service_healthy}}}"
    file.write_text(f"services: {{a: {on % 'b'}, b: {on % 'a'}}}")

    with pytest.raises(ProcessError, match="wait for each other"):
        read_services(file, {})


def test_secrets_are_made_once_and_only_their_owner_may_read_them(tmp_path: Path) -> None:
    kept = tmp_path / "cluster" / "secrets.env"

    first = values.with_secrets({}, kept)
    again = values.with_secrets({"REDIS_PASSWORD": "from the environment"}, kept)

    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert set(first) == set(values.SECRETS)
    assert len(set(first.values())) == len(first)
    assert again == {**first, "REDIS_PASSWORD": "from the environment"}


def test_the_environment_counts_for_more_than_the_file_beside_the_compose_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("# mine\nWORKERS=3\nADMIN_USER='ada'\nOTHER=1\nAPI_WORKERS=\n")
    monkeypatch.setenv("WORKERS", "4")

    found = values.given_variables({"WORKERS", "ADMIN_USER", "API_WORKERS"}, dotenv)

    assert found == {"WORKERS": "4", "ADMIN_USER": "ada"}


def test_a_line_that_is_no_variable_is_refused_without_showing_it(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("ADMIN_PASSWORD hunter2\n")

    with pytest.raises(ProcessError, match="line 1") as refusal:
        values.given_variables({"WORKERS"}, dotenv)
    assert "hunter2" not in str(refusal.value)


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 503)
        self.end_headers()
        self.wfile.write(b'{"a": {"status": "healthy"}, "b": {"status": "unhealthy"}}')

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_probe_tells_a_healthy_server_and_component_from_others() -> None:
    with HTTPServer(("127.0.0.1", 0), _Server) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        found = [
            problem_of(f"{url}/health"),
            problem_of(f"{url}/health", "a"),
            problem_of(f"{url}/health", "b"),
            problem_of(f"{url}/other"),
        ]
        server.shutdown()

    assert found[:2] == [None, None]
    assert found[2] == f"{url}/health: b is unhealthy"
    assert "503" in str(found[3])
    assert problem_of(url) is not None
