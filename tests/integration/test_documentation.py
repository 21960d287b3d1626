"""`smartinvest docs` where nothing has run: pages that need no server and no network."""

import json
import re
from pathlib import Path

import pytest

from pipelines.documentation import Documentation, build_documentation
from pipelines.settings import load_settings

MODELS = Path(__file__).parents[2] / "dbt" / "models"


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Documentation:
    home = tmp_path_factory.mktemp("documentation") / "home"
    return build_documentation(load_settings({}, home=home))


def test_every_model_and_every_column_is_on_dbts_page(documentation: Documentation) -> None:
    page = documentation.dbt.path.read_text("utf-8")
    files = [*MODELS.rglob("*.sql"), *MODELS.rglob("*.py")]
    assert documentation.dbt.models == len(files)
    assert documentation.dbt.described_columns == documentation.dbt.columns > 1000
    assert all(f'"model.smartinvest.{file.stem}"' in page for file in files)
    assert "INLINE DATA" not in page


def test_types_are_told_without_a_warehouse(documentation: Documentation) -> None:
    page = documentation.dbt.path.read_text("utf-8")
    catalogue = json.loads(
        "{"
        + re.findall(r'"unique_id":"model.smartinvest.goal","metadata".*?"stats":\{\}\}', page)[0]
    )
    assert catalogue["columns"]["wealth_cents"]["type"] == "bigint"


def test_no_path_of_the_machine_and_no_foreign_script_is_on_a_page(
    documentation: Documentation,
) -> None:
    for path in (documentation.index, documentation.dags, documentation.dbt.path):
        page = path.read_text("utf-8")
        assert str(documentation.index.parent) not in page
        assert str(MODELS) not in page
        assert re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="?(?:https?:)?//', page) == []


def test_the_catalogue_has_every_dag(documentation: Documentation) -> None:
    chapters = re.findall(r'<h2 id="(\w+)">', documentation.dags.read_text("utf-8"))
    assert len(chapters) == documentation.dag_count
    assert {"ingest", "rebalance", "maintenance"} <= set(chapters)


def test_the_first_page_leads_to_the_others(documentation: Documentation) -> None:
    links = re.findall(r'href="([^"]+)"', documentation.index.read_text("utf-8"))
    assert [(documentation.index.parent / link).is_file() for link in links] == [True, True]
