"""`smartinvest docs` where nothing has run: pages that need no server and no network."""

import json
import re
from pathlib import Path

import pytest

from pipelines.documentation import Documentation, build_documentation
from pipelines.operations.documents import is_shared, shared_document
from pipelines.operations.link_panel import link_panel
from pipelines.settings import Settings, load_settings

MODELS = Path(__file__).parents[2] / "dbt" / "models"


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Documentation:
    root = tmp_path_factory.mktemp("documentation")
    return build_documentation(machine(root, "home"))


def machine(root: Path, home: str) -> Settings:
    """One of several machines that share a lake."""
    return load_settings({"SMARTINVEST_LAKE_URL": str(root / "lake")}, home=root / home)


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


def test_a_machine_that_shares_the_lake_shows_the_pages_that_another_one_made(
    documentation: Documentation,
) -> None:
    root = documentation.index.parents[2]
    other = machine(root, "api-server")
    for path in (documentation.index, documentation.dags, documentation.dbt.path):
        name = path.relative_to(documentation.index.parent).as_posix()
        assert shared_document(other, name) == path.read_text("utf-8")
        assert shared_document(load_settings({}, home=root / "alone"), name) is None
    links = {link.href for link in link_panel(other).links}
    assert {"docs/dbt/index.html", "docs/dags/index.html"} <= links


@pytest.mark.parametrize("path", ["../raw/x.html", "explain/anna.html", "dbt/../../x", "dags/"])
def test_nothing_else_of_the_lake_is_a_document(tmp_path: Path, path: str) -> None:
    settings = machine(tmp_path, "home")
    file = (settings.lake / "docs" / path).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        file.write_text("not for everybody")
    assert shared_document(settings, path) is None
    assert not is_shared(settings, path)
