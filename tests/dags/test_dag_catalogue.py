"""The catalogue in the repository says what the DAGs say, and stands on a page as it is."""

import re

import pytest

from pipelines.documentation.dag_catalogue import (
    CATALOGUE,
    Dag,
    catalogue_body,
    catalogue_text,
    read_dags,
)


@pytest.fixture(scope="module")
def dags() -> list[Dag]:
    return read_dags()


def test_the_catalogue_in_the_repository_is_that_of_the_dags(dags: list[Dag]) -> None:
    assert CATALOGUE.read_text("utf-8") == catalogue_text(dags), "run `make docs` and commit it"


def test_the_chain_comes_first_and_in_its_order(dags: list[Dag]) -> None:
    chain = ["ingest", "warehouse", "monitor", "train", "forecast", "rebalance"]
    beside = ["backfill", "maintenance", "replay", "tune", "watch"]
    assert [dag["dag_id"] for dag in dags] == chain + beside


def test_every_dag_has_a_chapter_that_the_pages_links_lead_to(dags: list[Dag]) -> None:
    page = catalogue_body(dags)
    assert set(re.findall(r'href="#(\w+)"', page)) == set(re.findall(r'<h2 id="(\w+)"', page))
    assert set(re.findall(r'href="#(\w+)"', page)) == {dag["dag_id"] for dag in dags}
