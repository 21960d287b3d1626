"""Results of builds on a terminal; what failed comes last, next to the prompt."""

from collections.abc import Iterable, Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipelines.build_results.attempts import BuildAttempt
from pipelines.build_results.nodes import NodeResult
from pipelines.build_results.summary import ModelResult, by_model, totals
from pipelines.terminal import shown, text_table

_ATTEMPT_COLUMNS = ("session", "began (UTC)", "status", "seconds", "models", "tests", "failed")


def attempt_view(attempt: BuildAttempt) -> RenderableType:
    """Return a build's results: each model with its tests, then what failed and why."""
    table = Table(box=None, pad_edge=False)
    table.add_column("model", overflow="fold")
    table.add_column("status")
    for number in ("rows", "seconds", "tests"):
        table.add_column(number, justify="right")
    for model in reversed(by_model(attempt.nodes)):
        table.add_row(*map(shown, _cells(model)))
    failed = [node for node in attempt.nodes if node.failed]
    return Group(
        Text(headline(attempt)),
        table,
        *(part for node in failed for part in _why(node)),
        *(Text(line) for line in attempt.output),
        *((Text(f"\n{problem}"),) if (problem := attempt.problem_outside_of_dbt) else ()),
    )


def attempts_table(attempts: Iterable[BuildAttempt]) -> RenderableType:
    """Return a table of builds, one line each."""
    return text_table(_ATTEMPT_COLUMNS, map(_attempt_cells, attempts))


def headline(attempt: BuildAttempt) -> str:
    """Return what was built and how it ended, in one line."""
    counted = totals(attempt.nodes)
    ended = "passed" if attempt.passed else "FAILED, nothing was published"
    return (
        f"warehouse of {attempt.session_date}, {attempt.started_at:%Y-%m-%d %H:%M:%S} UTC: {ended}"
        f" ({counted.models} models, {counted.tests} tests, {counted.unit_tests} unit tests; "
        f"{counted.failed} failed, {counted.skipped} skipped; {attempt.seconds:.1f} s)"
    )


def _cells(model: ModelResult) -> tuple[object, ...]:
    failed = len(model.failed_tests)
    return (
        model.name,
        model.status,
        _rows(model.node),
        f"{model.seconds:.2f}",
        f"{failed} of {len(model.tests)} failed" if failed else len(model.tests),
    )


def _rows(node: NodeResult | None) -> object:
    return "view" if node and node.passed and node.rows is None else node and node.rows


def _attempt_cells(attempt: BuildAttempt) -> tuple[object, ...]:
    counted = totals(attempt.nodes)
    return (
        attempt.session_date,
        f"{attempt.started_at:%Y-%m-%d %H:%M:%S}",
        "passed" if attempt.passed else "failed",
        f"{attempt.seconds:.1f}",
        counted.models,
        counted.tests + counted.unit_tests,
        counted.failed,
    )


def _why(node: NodeResult) -> Iterator[RenderableType]:
    of = "" if node.kind == "model" else f" of {node.model}"
    yield Text(f"\n{node.kind.replace('_', ' ')} {node.name}{of}: {node.reason}")
    if node.message and node.message != node.reason:
        yield _indented(node.message)
    if node.sample is None:
        return
    for row in node.sample.rows:
        values = zip(node.sample.columns, row, strict=True)
        yield _indented(
            ", ".join(
                f"{name} {shown(value)}"
                for name, value in values
                if value is not None or name == node.column
            )
        )
    if left_out := (node.failing_rows or 0) - len(node.sample.rows):
        yield _indented(f"and {left_out:,} more")


def _indented(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 4))
