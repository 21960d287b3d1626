"""The parts of `bench cluster-faults` that need no cluster."""

import datetime as dt
from pathlib import Path

import httpx
import pytest

from benchmarks.cluster_faults.evidence import differing_tables
from benchmarks.cluster_faults.fault import Fault, Finding, Recovery
from benchmarks.cluster_faults.page import write_page
from benchmarks.cluster_faults.source_folder import bring_back, take_down, write_source
from benchmarks.cluster_faults.webhook import listening
from pipelines.alerts import Alert, Cause, Kind, Where
from pipelines.errors import SourceError
from pipelines.ingest.sources import provider_for
from pipelines.settings import load_settings

FAULT = Fault(
    "Redis restarted", "nothing is lost", r"redis|broker", lambda _: Recovery("", 1.0, "")
)


def test_an_alert_is_received_over_http_and_found_by_the_cause_that_it_names() -> None:
    with listening() as webhook, httpx.Client(trust_env=False) as http:
        http.post(webhook.url, json={"text": "a task failed"}).raise_for_status()
        before = webhook.count
        http.post(webhook.url, json={"text": "the Broker is away"}).raise_for_status()
        texts, naming = webhook.since(before, FAULT.is_named_by, patience_s=5.0)
    assert (before, texts, naming) == (1, ["the Broker is away"], "the Broker is away")


def test_an_alert_that_names_another_cause_is_not_taken_for_one_that_names_it() -> None:
    with listening() as webhook, httpx.Client(trust_env=False) as http:
        http.post(webhook.url, json={"text": "a task failed"}).raise_for_status()
        assert webhook.since(0, FAULT.is_named_by, patience_s=0.0) == (["a task failed"], "")


def test_tables_with_other_rows_than_the_undisturbed_run_are_named() -> None:
    before = {"trade": "a", "forecast": "b"}
    assert differing_tables(before, {"trade": "c", "forecast": "b"}) == ["trade"]


def test_a_fault_that_was_not_met_stands_in_the_page_as_it_came_out(tmp_path: Path) -> None:
    cause = Cause("ProcessLost", "container redis-1", "", "it ended", "See its log.")
    alert = Alert(Kind.PROCESS_LOST, cause, Where(), subject_of="redis-1").content()["text"]
    findings = [
        Finding(FAULT, "it went | on", 12.3, alert, 1, ()),
        Finding(FAULT, "it stopped", None, "", 0, ("no alert named the cause",)),
    ]
    write_page(tmp_path / "page.md", findings, "two clients.")
    met, not_met = (tmp_path / "page.md").read_text().splitlines()[-2:]
    assert met == (
        "| Redis restarted | nothing is lost | it went \\| on | 12 | [warning] SmartInvest: a "
        "process was lost: ProcessLost, container redis-1. ProcessLost: it ended | met |"
    )
    assert not_met.endswith("| never |  | not met: no alert named the cause |")


def test_the_sample_as_files_can_be_taken_down_and_brought_back(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    write_source(folder)
    settings = load_settings({}, home=tmp_path / "home", source="files", files_folder=folder)
    session = dt.date(2022, 12, 28)
    assert len(provider_for(settings).batches(session)) == 1
    take_down(folder)
    with pytest.raises(SourceError):
        provider_for(settings).batches(session)
    bring_back(folder)
    assert provider_for(settings).newest_session() == session
