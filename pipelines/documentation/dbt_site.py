"""dbt's own documentation as one page that needs neither a server, a network nor a warehouse.

dbt writes such a page from its manifest and from what a database says of its tables. Types are
taken from the declarations instead, which contracts and tests enforce in every build; so nothing
has to have been built.
"""

import importlib.util
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import WarehouseError
from pipelines.lake.parquet import write_text
from pipelines.lineage import REPOSITORY
from pipelines.settings import Settings
from pipelines.warehouse.dbt_process import DbtProcess

_PROJECT = REPOSITORY / "dbt"

Node = dict[str, Any]


@dataclass(frozen=True)
class DbtSite:
    """The page, and what dbt knows of the project; ``described_columns`` have a description."""

    path: Path
    models: int
    contracts: int
    columns: int
    described_columns: int
    data_tests: int
    unit_tests: int


def build_dbt_site(settings: Settings, path: Path) -> DbtSite:
    """Write dbt's documentation of the project.

    Raises
    ------
    WarehouseError
        dbt could not read the project.
    LakeError
        The page cannot be written.
    """
    manifest = _manifest(settings)
    page = _template().read_text("utf-8")
    for name, content in (("MANIFEST", manifest), ("CATALOG", _catalogue(manifest))):
        text = json.dumps(content, separators=(",", ":")).replace("</", "<\\/")
        page = page.replace(f'"{name}.JSON INLINE DATA"', text)
    write_text(page, path)
    return _told(path, manifest)


def _manifest(settings: Settings) -> Node:
    """Let dbt read the project in a process of its own; it keeps global state."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DBT_")}
    log = settings.logs / "dbt-docs"
    with tempfile.TemporaryDirectory() as workspace:
        environment = inherited | {"WAREHOUSE_WORKSPACE": workspace}
        with DbtProcess(environment, log / "output.log") as dbt:
            code = dbt.run(
                [
                    *("parse", "--no-use-colors", "--target-path", workspace),
                    *("--project-dir", str(_PROJECT), "--profiles-dir", str(_PROJECT)),
                    *("--log-path", str(log)),
                ]
            )
        if code != 0:
            lines = dbt.output.read_text("utf-8", errors="replace").split("\n")
            raise WarehouseError(
                "dbt parse",
                next((line.strip() for line in reversed(lines) if line.strip()), "no output"),
                "dbt could not read the project",
                f"See {log}.",
            )
        text = (Path(workspace) / "manifest.json").read_text("utf-8")
    # A path of the machine would stand on the page.
    manifest: Node = json.loads(text.replace(workspace, "."))
    return manifest


def _template() -> Path:
    spec = importlib.util.find_spec("dbt.task.docs")
    if spec is None or spec.origin is None:
        raise WarehouseError(
            "dbt", "dbt.task.docs", "it is not installed", "Install the locked environment: `make`."
        )
    return Path(spec.origin).with_name("index.html")


def _tables(manifest: Node) -> list[Node]:
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    return [*models, *manifest["sources"].values()]


def _catalogue(manifest: Node) -> Node:
    """Return what dbt's page wants to know of a database, as it is declared."""
    told: dict[str, Node] = {"nodes": {}, "sources": {}}
    for node in _tables(manifest):
        is_model = node["resource_type"] == "model"
        kind = node["config"]["materialized"] if is_model else "parquet"
        told["nodes" if is_model else "sources"][node["unique_id"]] = {
            "unique_id": node["unique_id"],
            "metadata": {
                "type": kind,
                "schema": node["schema"],
                "name": node["name"],
                "database": node["database"],
                "comment": None,
                "owner": None,
            },
            "columns": {
                name: {"type": column["data_type"], "index": index, "name": name, "comment": None}
                for index, (name, column) in enumerate(node["columns"].items(), start=1)
            },
            "stats": {},
        }
    return {"metadata": manifest["metadata"], **told, "errors": None}


def _told(path: Path, manifest: Node) -> DbtSite:
    nodes = list(manifest["nodes"].values())
    models = [node for node in nodes if node["resource_type"] == "model"]
    columns = [column for node in _tables(manifest) for column in node["columns"].values()]
    return DbtSite(
        path=path,
        models=len(models),
        contracts=sum(model["contract"]["enforced"] for model in models),
        columns=len(columns),
        described_columns=sum(bool(column["description"].strip()) for column in columns),
        data_tests=sum(node["resource_type"] == "test" for node in nodes),
        unit_tests=len(manifest["unit_tests"]),
    )
