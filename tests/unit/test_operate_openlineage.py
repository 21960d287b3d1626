"""What OpenLineage's client is told: nothing without a server, never the texts of errors."""

import json
from typing import Any

import pytest
import yaml

from pipelines.errors import SettingError
from pipelines.lineage import REPOSITORY
from pipelines.operate.openlineage import TRANSPORT, VARIABLES, WITHOUT_ERROR_TEXTS, variables

KEY = "k3y-of-the-server"
HTTP = {"type": "http", "url": "https://lineage.example.com"}


def told(**environ: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(variables(environ)[TRANSPORT])
    return found


def test_without_a_server_there_is_no_transport() -> None:
    assert variables({}) == VARIABLES
    assert TRANSPORT not in VARIABLES


def test_every_way_to_name_a_server_leaves_out_the_texts_of_errors() -> None:
    wrapped = {"type": "transform", "transformer_class": WITHOUT_ERROR_TEXTS, "transport": HTTP}
    assert told(OPENLINEAGE_URL=HTTP["url"]) == wrapped
    assert told(**{TRANSPORT: json.dumps(HTTP)}) == wrapped
    assert told(**{TRANSPORT: json.dumps(wrapped)}) == wrapped
    with_key = told(OPENLINEAGE_URL=HTTP["url"], OPENLINEAGE_API_KEY=KEY)["transport"]
    assert with_key["auth"] == {"type": "api_key", "apiKey": KEY}


@pytest.mark.parametrize("given", [f'{{"apiKey": "{KEY}"', f'"{KEY}"'])
def test_a_transport_that_is_no_object_is_refused_without_its_key(given: str) -> None:
    with pytest.raises(SettingError, match="is not a JSON object") as refused:
        variables({TRANSPORT: given})
    assert KEY not in str(refused.value)


def test_the_clusters_file_says_the_same_and_its_example_leaves_out_the_texts() -> None:
    file = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text("utf-8"))
    said = next(block for block in file.values() if isinstance(block, dict) and TRANSPORT in block)
    for name in VARIABLES.keys() - {"AIRFLOW__OPENLINEAGE__NAMESPACE"}:
        assert said[name] == VARIABLES[name]
    example = (REPOSITORY / ".env.example").read_text("utf-8")
    [line] = [line for line in example.splitlines() if f"{TRANSPORT}=" in line]
    value = line.partition("=")[2].strip("'")
    assert told(**{TRANSPORT: value})["transport"]["type"] == "http"
    assert json.loads(value)["transformer_class"] == WITHOUT_ERROR_TEXTS
