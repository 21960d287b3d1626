"""Results of builds as HTML: escaped by the templates, with nothing from any other server."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from pipelines.build_results import BuildAttempt, ModelResult, attempts_of, by_model, totals
from pipelines.operate.framed_page import SCRIPT
from pipelines.settings import Settings

_TEMPLATES = Path(__file__).with_name("templates")


def all_builds(base: str, settings: Settings, attempts: Sequence[BuildAttempt]) -> str:
    """Return the list of builds.

    Parameters
    ----------
    base : path under which the pages are mounted.
    """
    rows = [
        (attempt, totals(attempt.nodes), [node for node in attempt.nodes if node.failed])
        for attempt in attempts
    ]
    return _page("builds.html", base=base, rows=rows, current=_current(settings))


def one_build(
    base: str, settings: Settings, attempt: BuildAttempt, sort: str = "", note: str = ""
) -> str:
    """Return one build's results.

    Parameters
    ----------
    sort : what the models are ordered by, largest first; by what failed if empty.
    note : why this build is shown, where it is not the one that was asked for.
    """
    models = by_model(attempt.nodes)
    return _page(
        "build.html",
        base=base,
        attempt=attempt,
        models=_sorted(models, sort),
        totals=totals(attempt.nodes),
        slowest=max((model.seconds for model in models), default=0.0) or 1.0,
        failed=[node for node in attempt.nodes if node.failed],
        sort=sort,
        note=note,
        current=_current(settings),
        others=[other for other in attempts_of(settings, attempt.session_date) if other != attempt],
    )


def nothing(why: str) -> str:
    """Return a page that says why there is nothing to show."""
    return _page("nothing.html", why=why)


def _sorted(models: list[ModelResult], sort: str) -> list[ModelResult]:
    match sort:
        case "model":
            return sorted(models, key=lambda model: model.name)
        case "rows":
            return sorted(models, key=lambda model: -((model.node and model.node.rows) or 0))
        case "seconds":
            return sorted(models, key=lambda model: -model.seconds)
        case _:
            return models


def _current(settings: Settings) -> str:
    """Return the name of the build that readers see, which may be of another session."""
    if settings.shares_lake:
        from pipelines.warehouse.places import pointed_name

        return pointed_name(settings) or ""
    current = settings.warehouse / "current"
    return current.readlink().name if current.is_symlink() else ""


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(script=SCRIPT, **values)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["count"] = lambda number: f"{number:,}"
    environment.filters["moment"] = lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}"
    return environment
