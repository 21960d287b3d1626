"""Walk-forward folds in time, with the labels' horizon purged and an embargo at each seam."""

from dataclasses import dataclass

from ml.errors import SplitError

LEAST_TRAINING_SESSIONS = 504
LEAST_SCORED_SESSIONS = 63


@dataclass(frozen=True)
class Split:
    """Positions on a panel's session axis at which forecasts are fitted, tuned and scored.

    A label made at position t reaches to t + horizon, so each range ends ``purge`` positions, the
    longest horizon, and ``embargo`` positions before the next one begins. The split of a model that
    serves has no test range: ``range(n, n)``.
    """

    train: range
    validation: range
    test: range
    purge_sessions: int
    embargo_sessions: int

    @property
    def last_fitted_outcome(self) -> int:
        """Position at which the last label that models are fitted on is realised."""
        return self.train[-1] + self.purge_sessions


@dataclass(frozen=True)
class FoldPlan:
    """How sessions are cut into folds.

    Attributes
    ----------
    folds : consecutive test periods; each is the test range of a fold.
    test_share : share of the sessions, the last ones, that the test periods are cut from.
    validation_share : share of a fold's sessions before its test that are its validation range.
    most_validation_sessions : the most that there are of them.
    purge_sessions : the longest horizon of a label.
    embargo_sessions : sessions left out beyond that, since returns of neighbouring sessions are
        not independent.
    """

    folds: int
    test_share: float
    validation_share: float = 0.15
    most_validation_sessions: int = 504
    purge_sessions: int = 21
    embargo_sessions: int = 21

    @property
    def gap_sessions(self) -> int:
        """Sessions between two ranges of a fold."""
        return self.purge_sessions + self.embargo_sessions


@dataclass(frozen=True)
class WalkForward:
    """Folds in order of time, and the split by which the model that serves is fitted."""

    folds: tuple[Split, ...]
    serving: Split

    @property
    def splits(self) -> tuple[Split, ...]:
        """The folds, then the serving split."""
        return (*self.folds, self.serving)


def walk_forward(sessions: int, plan: FoldPlan) -> WalkForward:
    """Cut positions 0 .. sessions-1 into folds whose training grows with time.

    The test ranges are consecutive and cover every session from the first one on whose longest
    label is realised. Before each lies a validation range, and before that all sessions train. The
    serving split has its validation range at the very end and no test.

    Method: walk-forward with an expanding window; purging and embargo as in Lopez de Prado,
    "Advances in Financial Machine Learning" (2018), section 7.4.

    Raises
    ------
    SplitError
        A range would be too short to learn from or to judge by.
    """
    first_test = round(sessions * (1 - plan.test_share))
    starts = [
        first_test + (sessions - first_test) * number // plan.folds for number in range(plan.folds)
    ]
    ends = [*starts[1:], sessions - plan.purge_sessions]
    longest = min((sessions - first_test) // plan.folds, plan.most_validation_sessions)
    folds = tuple(
        _split(range(start, end), start - plan.gap_sessions, longest, plan)
        for start, end in zip(starts, ends, strict=True)
    )
    serving = _split(range(sessions, sessions), sessions - plan.purge_sessions, longest, plan)
    walk = WalkForward(folds, serving)
    _require_enough(sessions, walk)
    return walk


def _split(test: range, validation_end: int, longest: int, plan: FoldPlan) -> Split:
    """Put validation and training before a test; no longer than a test, validations never meet."""
    length = min(round(plan.validation_share * test.start), longest)
    validation = range(validation_end - length, validation_end)
    return Split(
        train=range(max(validation.start - plan.gap_sessions, 0)),
        validation=validation,
        test=test,
        purge_sessions=plan.purge_sessions,
        embargo_sessions=plan.embargo_sessions,
    )


def _require_enough(sessions: int, walk: WalkForward) -> None:
    trained = min(len(split.train) for split in walk.splits)
    validated = min(len(split.validation) for split in walk.splits)
    tested = min(len(fold.test) for fold in walk.folds)
    if trained < LEAST_TRAINING_SESSIONS or min(validated, tested) < LEAST_SCORED_SESSIONS:
        raise SplitError(
            "sessions in the feature file",
            sessions,
            f"cut into {len(walk.folds)} folds, the shortest training has {trained} of at least "
            f"{LEAST_TRAINING_SESSIONS}, validation {validated} and test {tested} of at least "
            f"{LEAST_SCORED_SESSIONS} each",
            "Load more history, or train with fewer folds (profile quick).",
        )
