"""All documentation pages of a home: one folder that a browser opens as it is."""

import logging
from dataclasses import dataclass
from html import escape
from pathlib import Path

from pipelines.documentation.dag_catalogue import (
    CATALOGUE,
    catalogue_body,
    catalogue_text,
    read_dags,
)
from pipelines.documentation.dbt_site import DbtSite, build_dbt_site
from pipelines.documentation.places import DAGS, DBT, INDEX, PAGES
from pipelines.handed_on import handed_on
from pipelines.lake.parquet import write_text
from pipelines.progress import step
from pipelines.settings import Settings

logger = logging.getLogger(__name__)

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #8884; }
h2 { margin-top: 3rem; }
"""


@dataclass(frozen=True)
class Documentation:
    """Where the pages are, and what dbt's tells."""

    index: Path
    dags: Path
    dag_count: int
    dbt: DbtSite

    def __str__(self) -> str:
        site = self.dbt
        return (
            f"dbt: {site.models} models ({site.contracts} with a contract), "
            f"{site.described_columns} of {site.columns} columns described, "
            f"{site.data_tests} data tests, {site.unit_tests} unit tests\n"
            f"Airflow: {self.dag_count} DAGs\n"
            f"open {self.index}"
        )


def build_documentation(settings: Settings) -> Documentation:
    """Write ``docs/index.html``, ``docs/dbt/index.html`` and ``docs/dags/index.html`` in the home.

    Where machines share a lake they go there, too, for whichever machine shows them. The catalogue
    of DAGs is written into the repository, too, as ``docs/dags.md``, if it changed.
    Nothing has to have run before, and no network is asked, by us or by the pages.

    Raises
    ------
    WarehouseError, ProcessError, LakeError
        dbt or Airflow cannot read what is described, or the home cannot be written.
    """
    with step("dbt's documentation"):
        site = build_dbt_site(settings, settings.home / DBT)
    with step("the catalogue of DAGs"):
        dags = read_dags()
        page = _page("SmartInvest: DAGs", catalogue_body(dags))
        catalogue = write_text(page, settings.home / DAGS)
        _renew_catalogue(catalogue_text(dags))
    index = write_text(_page("SmartInvest", _contents(site, len(dags))), settings.home / INDEX)
    if settings.shares_lake:
        for name in PAGES:
            handed_on(settings).write(name, (settings.home / name).read_bytes())
    return Documentation(index, catalogue, len(dags), site)


def _renew_catalogue(text: str) -> None:
    """Write the repository's catalogue where it changed: an unchanged clone may be read-only."""
    if not CATALOGUE.is_file() or CATALOGUE.read_text("utf-8") != text:
        write_text(text, CATALOGUE)
        logger.info("%s has changed: commit it", CATALOGUE)


def _contents(site: DbtSite, dags: int) -> str:
    return f"""<h1>SmartInvest</h1>
<ul>
<li><a href="dbt/index.html">The warehouse</a>: {site.models} models and {site.columns} columns,
with grain, unit, meaning, tests and lineage</li>
<li><a href="dags/index.html">The DAGs</a>: {dags} of them, when they start, what they
update</li>
</ul>"""


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )
