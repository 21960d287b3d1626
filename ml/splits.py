"""Training, validation and test in time, with the label's horizon purged and an embargo after."""

from dataclasses import dataclass

from ml.errors import SplitError

LEAST_TRAINING_SESSIONS = 504
LEAST_SCORED_SESSIONS = 63


@dataclass(frozen=True)
class Split:
    """Positions on a panel's session axis at which forecasts are fitted, tuned and scored.

    A label made at position t reaches to t + horizon, so each range ends ``purge`` positions before
    its period does, the longest horizon, and the next one starts ``embargo`` positions after that.
    The split of a model that serves has no test range: ``range(n, n)``.
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


def split_in_time(
    sessions: int,
    horizon_sessions: int,
    embargo_sessions: int,
    validation_share: float = 0.15,
    test_share: float = 0.15,
) -> Split:
    """Split positions 0 .. sessions-1 into three periods that share no label.

    Method: purging and embargo as in Lopez de Prado, "Advances in Financial Machine Learning"
    (2018), section 7.4, for the simple case of one split in time.

    Raises
    ------
    SplitError
        A period would be too short to learn from or to judge by.
    """
    validation_start = round(sessions * (1 - validation_share - test_share))
    test_start = round(sessions * (1 - test_share))
    split = Split(
        train=range(validation_start - horizon_sessions),
        validation=range(validation_start + embargo_sessions, test_start - horizon_sessions),
        test=range(test_start + embargo_sessions, sessions - horizon_sessions),
        horizon_sessions=horizon_sessions,
        embargo_sessions=embargo_sessions,
    )
    enough = (
        len(split.train) >= LEAST_TRAINING_SESSIONS
        and len(split.validation) >= LEAST_SCORED_SESSIONS
        and len(split.test) >= LEAST_SCORED_SESSIONS
    )
    if not enough:
        raise SplitError(
            "sessions in the feature file",
            sessions,
            f"after purge and embargo, training has {len(split.train)} of at least "
            f"{LEAST_TRAINING_SESSIONS}, validation {len(split.validation)} and test "
            f"{len(split.test)} of at least {LEAST_SCORED_SESSIONS} each",
            "Load more history.",
        )
    return split
