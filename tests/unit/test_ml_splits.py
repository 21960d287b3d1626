import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.errors import SplitError
from ml.splits import split_in_time


@given(sessions=st.integers(2000, 20_000), horizon=st.integers(1, 63), embargo=st.integers(0, 63))
def test_no_label_of_one_period_reaches_into_the_next(
    sessions: int, horizon: int, embargo: int
) -> None:
    split = split_in_time(sessions, horizon, embargo)
    for earlier, later in ((split.train, split.validation), (split.validation, split.test)):
        last_session_of_a_label = earlier[-1] + horizon
        assert last_session_of_a_label + embargo < later[0]
    assert split.last_fitted_outcome == split.train[-1] + horizon < split.validation[0]
    assert split.test[-1] + horizon == sessions - 1


def test_too_few_sessions_are_refused_with_what_is_needed() -> None:
    with pytest.raises(SplitError, match=r"sessions in the feature file = '400'.*at least 504"):
        split_in_time(400, 21, 21)
