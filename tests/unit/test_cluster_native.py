"""What the native cluster makes of a compose file, without starting anything."""

import re
import socket
import stat
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

from pipelines.errors import ProcessError
from pipelines.operate.airflow_config import REPOSITORY
from pipelines.operate.cluster import variables as values
from pipelines.operate.cluster.compose import Health, Service, interpolate, read_services, seconds
from pipelines.operate.cluster.container import Container
from pipelines.operate.cluster.keeper import Pauses
from pipelines.operate.cluster.own_ports import require_free_ports
from pipelines.operate.cluster.probe import problem_of
from pipelines.operate.ports import free_port
from pipelines.settings import load_settings

FILE = REPOSITORY / "docker-compose.yml"
GIVEN = {name: f"{name.lower()}-made-up" for name in values.SECRETS}


def containers(home: Path, **more: str) -> dict[str, Container]:
    settings = load_settings({}, home=home)
    found = read_services(FILE, values.addresses({}) | GIVEN | more)
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
        of_image = {"PATH", "PYTHONPATH", "HOSTNAME"}
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
    given = values.addresses({}) | GIVEN

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


def test_a_name_that_is_given_twice_is_refused_as_docker_does(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    file.write_text(
        "x-common: &common {A: 1}\nservices:\n  db: {environment: {<<: *common, A: 2, B: 1, B: 2}}"
    )

    with pytest.raises(ProcessError, match=r"docker-compose\.yml = 'B': it is given twice"):
        read_services(file, {})


def test_services_that_wait_for_each_other_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "compose.yml"
    on = "{command: [x], restart: 'no', depends_on: {%s: {condition: service_healthy}}}"
    file.write_text(f"services: {{a: {on % 'b'}, b: {on % 'a'}}}")

    with pytest.raises(ProcessError, match="wait for each other"):
        read_services(file, {})


def test_a_port_that_is_given_is_kept_and_hosts_are_the_loopback() -> None:
    found = values.addresses({"AIRFLOW_PORT": "9090", "POSTGRES_HOST": "db.example"})

    assert found["AIRFLOW_PORT"] == "9090"
    assert found["AIRFLOW_URL"] == "http://127.0.0.1:9090"
    assert found["POSTGRES_HOST"] == "127.0.0.1"
    assert len({value for name, value in found.items() if name.endswith("_PORT")}) == 5


def server_of(home: Path, command: list[str], port: int) -> Container:
    service = Service(
        name="server",
        command=tuple(command),
        environment={},
        volumes={},
        ports={"SERVER_PORT": port},
        working_dir="",
        depends_on={},
        # Whoever is at the port is well.
        health=Health(("CMD", "true"), timeout_s=5.0, start_period_s=5.0, start_interval_s=0.1),
        replicas=1,
        restarts=True,
        stop_signal="SIGTERM",
        stop_grace_s=1.0,
    )
    return Container(load_settings({}, home=home), service)


def test_a_server_of_others_at_the_port_does_not_count_as_the_service_being_well(
    tmp_path: Path,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        waiting = server_of(tmp_path, ["sleep", "60"], port)
        waiting.start()
        try:
            assert waiting.is_running()
            assert not waiting.is_well()
            with pytest.raises(ProcessError, match=rf"port of server = '{port}'.*SERVER_PORT="):
                require_free_ports(waiting.service)
        finally:
            waiting.end(0.0)
        other = free_port()
        listening = f"import socket, time; s = socket.create_server(('127.0.0.1', {other}))"
        server = server_of(tmp_path, [sys.executable, "-c", f"{listening}; time.sleep(60)"], other)
        server.start()
        try:
            server.wait_until_well()
        finally:
            server.end(0.0)


def test_a_server_that_ends_because_its_port_is_taken_is_told_apart(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = server_of(tmp_path, ["false"], taken.getsockname()[1])
        server.start()
        with pytest.raises(ProcessError, match="another program of this machine listens there"):
            server.wait_until_well()


def test_a_container_that_could_not_be_started_again_is_still_known_to_have_run(
    tmp_path: Path,
) -> None:
    server_of(tmp_path, ["true"], 0).start()
    before = server_of(tmp_path, ["true"], 0).record

    with pytest.raises(ProcessError, match="there is no such program"):
        server_of(tmp_path, ["no-such-program"], 0).start()

    assert before is not None
    assert server_of(tmp_path, ["true"], 0).record == before


def test_who_keeps_on_ending_is_started_less_often_until_it_has_run_for_long() -> None:
    pauses = Pauses()
    started, now_s = [], 0.0
    while now_s < 10.0:
        if pauses.is_over("crashing", now_s):
            pauses.begin("crashing", now_s)
            started.append(now_s)
        now_s += 0.5

    assert started == [0.0, 1.0, 3.0, 7.0]
    assert pauses.is_over("another", 7.0)
    assert pauses.is_over("crashing", 200.0)
    pauses.begin("crashing", 200.0)
    assert pauses.is_over("crashing", 201.0)


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
