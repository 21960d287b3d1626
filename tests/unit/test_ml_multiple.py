import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.evaluation.multiple import bonferroni, holm

P_VALUES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=30)


def test_holms_p_values_are_those_that_a_person_computes() -> None:
    corrected = holm(np.array([0.04, 0.01, np.nan, 0.03]))
    assert corrected == pytest.approx([0.06, 0.03, np.nan, 0.06], nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(P_VALUES)
def test_holm_rejects_step_by_step_until_one_fails(p_values: list[float]) -> None:
    level, rejected = 0.05, 0
    for p_value in sorted(p_values):
        if p_value > level / (len(p_values) - rejected):
            break
        rejected += 1
    assert int((holm(np.array(p_values)) <= level * (1 + 1e-12)).sum()) == rejected


@settings(max_examples=60, deadline=None)
@given(P_VALUES)
def test_holm_keeps_the_order_lowers_nothing_and_is_no_stricter_than_bonferroni(
    p_values: list[float],
) -> None:
    plain = np.array(p_values)
    corrected = holm(plain)
    order = np.argsort(plain, kind="stable")
    assert (np.diff(corrected[order]) >= 0).all()
    assert (corrected >= plain).all()
    assert (corrected <= [bonferroni(value, len(plain)) for value in p_values]).all()


def test_of_many_true_nulls_that_hang_together_any_is_rejected_in_one_case_of_twenty() -> None:
    from scipy.stats import norm

    generator = np.random.default_rng(1)
    common = generator.normal(size=(2000, 1))
    values = np.sqrt(0.5) * common + np.sqrt(0.5) * generator.normal(size=(2000, 20))
    p_values = 2 * norm.sf(np.abs(values))
    any_rejected = np.mean([(holm(row) < 0.05).any() for row in p_values])
    assert any_rejected < 0.06
    assert np.mean((p_values < 0.05).any(axis=1)) > 0.3
