"""Our assets as OpenLineage datasets, with the session and what each of them stood at.

The provider knows no assets with the scheme ``smartinvest``, so without this its events have no
datasets. It is named in Airflow's configuration (``pipelines.operate.openlineage``) and read only
where a transport is configured.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from typing import Any

import attrs
from airflow.providers.openlineage.extractors.base import BaseExtractor, OperatorLineage
from openlineage.client.event_v2 import Dataset
from openlineage.client.generated.base import DatasetFacet, RunFacet
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from task_lineage import session_of

from pipelines.errors import StoreError
from pipelines.lineage import code_version
from pipelines.operate.task_lineage import AssetVersion, versions
from pipelines.settings import load_settings

logger = logging.getLogger(__name__)

NAMESPACE = "smartinvest"
FACET = "smartinvest_session"
"""Name of the facets below, of runs and of datasets."""


@attrs.define
class SessionRunFacet(RunFacet):
    """Which exchange session a task works on, of which source, by which code."""

    sessionDate: str | None  # noqa: N815 - names of facets are written so
    source: str
    codeVersion: str  # noqa: N815


@attrs.define
class SessionDatasetFacet(DatasetFacet):
    """Which exchange session's partition of a dataset is meant, and from which data it is."""

    sessionDate: str | None  # noqa: N815
    dataSnapshot: str | None  # noqa: N815


class AssetExtractor(BaseExtractor):
    """Tells the inlets and outlets of our tasks; their versions once the task has ended."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """Return the operators behind ``@task`` and its kinds."""
        kinds = ("Python", "BranchPython", "ShortCircuit")
        return [f"_{kind}DecoratedOperator" for kind in kinds]

    def _execute_extraction(self) -> OperatorLineage:
        return self._lineage([])

    def extract_on_complete(self, task_instance: Any) -> OperatorLineage:
        """Return the same with what the assets stand at now."""
        named = [asset.name for asset in (*self.operator.inlets, *self.operator.outlets)]
        return self._lineage(_versions(session_of(task_instance), named))

    def _lineage(self, found: Sequence[AssetVersion]) -> OperatorLineage:
        known = {version.asset: version for version in found}
        return OperatorLineage(
            inputs=_datasets(self.operator.inlets, known),
            outputs=_datasets(self.operator.outlets, known),
        )


def session_facets(task_instance: Any, _state: Any) -> dict[str, RunFacet]:
    """Return the facet of a task's run; the provider asks for it at each of its events."""
    session = session_of(task_instance)
    source = load_settings().source.value
    return {FACET: SessionRunFacet(_text(session), source, code_version())}


def _datasets(assets: Iterable[Any], known: dict[str, AssetVersion]) -> list[Dataset]:
    return [_dataset(asset, known.get(asset.name)) for asset in assets]


def _dataset(asset: Any, version: AssetVersion | None) -> Dataset:
    facets: dict[str, Any] = {}
    if version is not None:
        facets[FACET] = SessionDatasetFacet(version.session, version.data_snapshot)
        if version.version is not None:
            facets["version"] = DatasetVersionDatasetFacet(version.version)
    name = asset.uri.removeprefix(f"{NAMESPACE}://").strip("/")  # Airflow adds one
    return Dataset(NAMESPACE, name, facets=facets)


def _versions(session: dt.date | None, assets: list[str]) -> list[AssetVersion]:
    from pipelines.store import connect

    settings = load_settings()
    try:
        with connect(settings) as connection:
            return versions(connection, settings, session, assets)
    except StoreError as error:
        logger.warning("the versions of assets are not in the event: %s", error)
        return [AssetVersion(name, _text(session)) for name in assets]


def _text(session: dt.date | None) -> str | None:
    return session.isoformat() if session else None
