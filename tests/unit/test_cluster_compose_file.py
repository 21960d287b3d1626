"""docker-compose.yml, Dockerfile and .env.example, against the specification and each other."""

import json
import re
from pathlib import Path

import jsonschema
import yaml

from pipelines.operate.cluster.compose import HEALTHY, read_services, variables_of
from pipelines.operate.cluster.variables import SECRETS, read_variables
from pipelines.settings import Settings

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
SCHEMA = ROOT / "tests" / "compose_specification" / "compose-spec.json"
TEXT = FILE.read_text("utf-8")
DOCUMENT = yaml.safe_load(TEXT)
GIVEN = {name: f"{name.lower()}-made-up" for name in SECRETS}
ONE_SHOT = {"airflow-init"}


def test_the_compose_file_meets_the_compose_specification() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)

    problems = [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(DOCUMENT)]

    assert problems == []


def test_the_schema_refuses_a_service_with_a_key_that_does_not_exist() -> None:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    wrong = {"services": {"postgres": {"image": "postgres", "health_check": {}}}}

    assert list(jsonschema.Draft7Validator(schema).iter_errors(wrong))


def test_the_file_has_the_services_of_a_cluster() -> None:
    assert set(DOCUMENT["services"]) == {
        "postgres", "redis", "airflow-init", "airflow-apiserver", "airflow-scheduler",
        "airflow-dag-processor", "airflow-triggerer", "airflow-worker", "mlflow",
    }  # fmt: skip


def test_no_service_runs_as_root_or_may_become_more_than_it_is() -> None:
    for name, service in DOCUMENT["services"].items():
        assert not service["user"].startswith(("0", "root")), name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_every_service_that_stays_has_a_health_check_and_is_started_again() -> None:
    for name, service in DOCUMENT["services"].items():
        if name not in ONE_SHOT:
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name


def test_images_of_others_are_pinned_to_their_bytes() -> None:
    images = {service["image"] for service in DOCUMENT["services"].values()}
    theirs = {image for image in images if not image.startswith("smartinvest:")}

    assert theirs
    for image in theirs:
        assert re.search(r":\d+\.\d+[.\d]*-bookworm@sha256:[0-9a-f]{64}$", image), image


def test_the_dockerfile_pins_its_base_and_its_packages_and_ends_as_a_user() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    users = re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE)

    assert re.search(r"^ARG PYTHON=python:3\.11\.\d+-slim-bookworm@sha256:[0-9a-f]{64}$",
                     dockerfile, re.MULTILINE)  # fmt: skip
    assert set(re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)) == {"${PYTHON}"}
    assert "--require-hashes" in dockerfile and "requirements.lock" in dockerfile
    assert users == [DOCUMENT["x-airflow"]["user"]]


def test_every_path_of_the_file_is_in_the_image_or_on_a_volume() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    folders = set(re.findall(r"(?<![\w.])(/(?:srv|var/log)/\w+)", TEXT))

    assert folders == {
        "/srv/home", "/srv/lake", "/srv/mlflow", "/srv/compiled", "/var/log/airflow",
    }  # fmt: skip
    for folder in folders:
        assert folder in dockerfile, folder


def test_the_builder_is_sent_no_secret_and_no_state() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").split()

    assert "*" in lines
    assert not [line for line in lines if line.startswith(("!.env", "!var"))]
    assert ".env" in (ROOT / ".gitignore").read_text("utf-8").split()


def test_every_variable_of_the_file_is_explained_in_the_example_and_no_other() -> None:
    example = (ROOT / ".env.example").read_text("utf-8")
    explained = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))

    assert explained == variables_of(FILE)


def test_every_setting_of_the_pipeline_reaches_the_workers_or_is_the_cluster_s_own() -> None:
    not_of_a_cluster = {"session", "generated_clients", "store_app_role", "store_analyst_role"}
    of_workers = {f"SMARTINVEST_{name.upper()}" for name in set(Settings.model_fields)}
    of_workers -= {f"SMARTINVEST_{name.upper()}" for name in not_of_a_cluster}

    told = {name for name in DOCUMENT["x-environment"] if name.startswith("SMARTINVEST_")}

    assert told == of_workers


def test_the_example_gives_no_secret_and_shows_the_defaults_of_the_file() -> None:
    example = read_variables(ROOT / ".env.example")
    shown = dict(
        re.findall(r"^#([A-Z][A-Z0-9_]+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE)
    )
    defaults = dict(re.findall(r"\$\{([A-Z0-9_]+):-([^}]*)\}", TEXT))

    assert {example[name] for name in SECRETS} == {""}
    compared = set(shown) & set(defaults) - {"LAKE_URL", "ARTIFACTS_URL"}
    assert len(compared) > 10
    assert {name: shown[name] for name in compared} == {
        name: defaults[name] for name in compared if name != "AIRFLOW_HOST"
    } | {"AIRFLOW_HOST": "airflow-apiserver"}


def test_no_secret_has_a_default_or_stands_in_the_file() -> None:
    asked_for = dict(re.findall(r"\$\{([A-Z0-9_]+)(:[-?])", TEXT))

    for name in SECRETS:
        assert asked_for[name] == ":?", name
    for url in re.findall(r"://(\w*):([^@$\s]+)@", TEXT):
        raise AssertionError(f"a password stands in {url}")


def test_no_command_shows_a_secret_to_whoever_lists_processes() -> None:
    for service in read_services(FILE, GIVEN).values():
        shown = " ".join((*service.command, *(service.health.test if service.health else ())))

        assert "made-up" not in shown, service.name


def test_each_database_is_asked_as_its_own_role() -> None:
    services = read_services(FILE, GIVEN)
    urls = {
        name: re.findall(r"postgresql\+psycopg://(\w+):[^@]+@postgres:5432/(\w+)", value)
        for service in services.values()
        for name, value in service.environment.items()
    }
    pairs = {pair for found in urls.values() for pair in found}

    assert pairs == {
        ("airflow", "airflow"), ("mlflow", "mlflow"), ("smartinvest_pipeline", "smartinvest"),
        ("smartinvest_pipeline", "search"), ("postgres", "postgres"),
    }  # fmt: skip


def test_the_superuser_is_known_to_the_server_and_to_the_first_step_only() -> None:
    knowing = {
        service.name
        for service in read_services(FILE, GIVEN).values()
        if any(GIVEN["POSTGRES_PASSWORD"] in value for value in service.environment.values())
    }

    assert knowing == {"postgres", "airflow-init"}


def test_users_log_in_with_passwords_of_their_own_and_tasks_go_by_celery() -> None:
    worker = read_services(FILE, GIVEN)["airflow-worker"].environment

    assert worker["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    assert worker["AIRFLOW__CORE__AUTH_MANAGER"].endswith(".FabAuthManager")


def test_services_start_after_what_they_need() -> None:
    services = read_services(FILE, GIVEN)
    order = list(services)

    for name, service in services.items():
        for other in service.depends_on:
            assert order.index(other) < order.index(name)
    assert services["airflow-worker"].depends_on == {
        "airflow-apiserver": HEALTHY, "redis": HEALTHY, "mlflow": HEALTHY,
    }  # fmt: skip
    assert set(services["airflow-scheduler"].depends_on) == {"airflow-init", "redis"}
