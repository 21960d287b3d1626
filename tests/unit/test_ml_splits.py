from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.errors import SplitError
from ml.plans import PROFILES
from ml.splits import FoldPlan, Split, walk_forward
from models.vocabulary import HORIZON_SESSIONS

plans = st.builds(
    FoldPlan,
    folds=st.integers(1, 6),
    test_share=st.floats(0.15, 0.5),
    purge_sessions=st.integers(1, 63),
    embargo_sessions=st.integers(0, 63),
)


sessions = st.integers(6000, 20_000)
"""So many that all of these plans can be: six tests of 15 % less a purge of 63 have 87 each."""


def ranges(split: Split) -> list[range]:
    return [each for each in (split.train, split.validation, split.test) if each]


@given(sessions=sessions, plan=plans)
def test_no_label_of_one_range_reaches_the_next_nor_its_embargo(
    sessions: int, plan: FoldPlan
) -> None:
    for split in walk_forward(sessions, plan).splits:
        for earlier, later in pairwise(ranges(split)):
            last_session_of_a_label = earlier[-1] + plan.purge_sessions
            assert last_session_of_a_label + plan.embargo_sessions < later[0]
        assert split.last_fitted_outcome < split.validation[0]


@given(sessions=sessions, plan=plans)
def test_every_session_of_the_test_span_with_a_realised_label_is_tested_in_one_fold(
    sessions: int, plan: FoldPlan
) -> None:
    folds = walk_forward(sessions, plan).folds
    tested = [position for fold in folds for position in fold.test]
    first = round(sessions * (1 - plan.test_share))
    assert tested == list(range(first, sessions - plan.purge_sessions))


@given(sessions=sessions, plan=plans)
def test_no_session_is_in_two_validation_ranges(sessions: int, plan: FoldPlan) -> None:
    splits = walk_forward(sessions, plan).splits
    validated = [position for split in splits for position in split.validation]
    assert validated == sorted(set(validated))


@given(sessions=sessions, plan=plans)
def test_training_grows_from_fold_to_fold_and_the_serving_split_sees_the_newest_outcomes(
    sessions: int, plan: FoldPlan
) -> None:
    walk = walk_forward(sessions, plan)
    for earlier, later in pairwise(walk.splits):
        assert len(earlier.train) < len(later.train)
    assert walk.serving.validation[-1] + plan.purge_sessions == sessions - 1
    assert walk.serving.test == range(sessions, sessions)


def test_a_fold_knows_nothing_that_a_longer_history_would_add() -> None:
    plan = FoldPlan(folds=1, test_share=0.15)
    fold = walk_forward(4000, plan).folds[0]
    assert fold.train == range(3400 - 2 * 42 - 504)
    assert fold.validation == range(3400 - 42 - 504, 3400 - 42)
    assert fold.test == range(3400, 4000 - 21)


def test_the_longest_horizon_is_purged() -> None:
    assert all(plan.folds.purge_sessions == HORIZON_SESSIONS for plan in PROFILES.values())


def test_too_few_sessions_are_refused_with_what_is_needed() -> None:
    with pytest.raises(SplitError, match=r"sessions in the feature file = '400'.*at least 504"):
        walk_forward(400, FoldPlan(folds=1, test_share=0.15))


def test_more_folds_than_the_history_holds_are_refused() -> None:
    with pytest.raises(
        SplitError, match=r"cut into 40 folds.*validation 50 and test 29 of.*fewer folds"
    ):
        walk_forward(4000, FoldPlan(folds=40, test_share=0.5))
