"""The benchmark's tables for a terminal."""

from collections.abc import Iterator

from rich.table import Table

from benchmarks.faults.bench import FaultBenchmark
from benchmarks.faults.score import FaultScore, Rung
from pipelines.terminal import text_table

_FAULT_COLUMNS = (
    "boundary",
    "fault",
    "what",
    "matters from",
    "injected",
    "caught",
    "missed",
    "how",
    "late by",
    "9 in 10 from",
)


def tables(benchmark: FaultBenchmark) -> Iterator[Table]:
    """Yield the faults at the severity that matters, the ladders, and each false positive."""
    by_boundary = sorted(benchmark.scored, key=lambda one: (one.fault.boundary, one.fault.name))
    yield text_table(
        _FAULT_COLUMNS,
        [_at_stake(one) for one in by_boundary],
        title="faults at the severity that moves a portfolio of 20 holdings by 10 basis points",
    )
    yield text_table(
        ("fault", "severity counts", "caught at each severity"),
        [_ladder(one) for one in by_boundary if len(one.rungs) > 1],
        title="detection over severity",
    )
    yield text_table(
        ("data without injected faults", "rows", "false positives", "in 100,000", "really bad"),
        [
            (one.name, one.rows, one.false_positives, f"{one.rate:.2f}", one.really_bad)
            for one in benchmark.clean
        ],
        title="false positives",
    )
    listed = [
        (
            one.name,
            run.symbol,
            f"{run.first_session}\n{run.last_session}",
            run.rows,
            ", ".join(run.rules),
            run.really_bad or f"false positive: {run.observed}",
        )
        for one in benchmark.clean
        for run in one.rejected
    ]
    if listed:
        yield text_table(
            ("data", "symbol", "sessions", "rows", "rules", "verdict"),
            listed,
            title="each rejection in data without injected faults",
        )


def _at_stake(one: FaultScore) -> tuple[object, ...]:
    rung = one.at_stake
    from_ = one.caught_from
    return (
        one.fault.boundary.value,
        one.fault.name,
        one.fault.meaning,
        f"{rung.severity:g} {one.fault.unit}" if one.fault.unit else "",
        rung.injected,
        rung.caught,
        rung.injected - rung.caught,
        _how(rung),
        f"{rung.mean_delay_sessions:.1f}" if rung.mean_delay_sessions else "",
        ("never" if from_ is None else f"{from_:g}") if one.fault.unit else "",
    )


def _how(rung: Rung) -> str:
    ways = ", ".join(f"{way} {count}" for way, count in rung.notices)
    rules = ", ".join(rule for rule, _ in rung.rules[:2])
    return f"{ways} ({rules})" if rules else ways


def _ladder(one: FaultScore) -> tuple[str, str, str]:
    steps = "  ".join(f"{rung.severity:g}: {rung.share:.0%}" for rung in one.rungs)
    return one.fault.name, one.fault.unit, steps
