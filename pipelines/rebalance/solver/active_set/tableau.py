"""A working set's optimum as a symmetric tableau: a sweep for each symbol or row that moves.

Symbols come first, then rows: classes, invested, risky, turnover. With ``M = [S A'; A 0]`` and v
the weights and prices, ``gain - M v`` has the symbols' multipliers and, negative, the rows' sums.
Of each symbol and row one of both is given and the other found. Of a fixed symbol the weight is
given, of an idle row the price, which is zero. Of a free symbol the multiplier is given, its cost's
slope, and of an active row the sum: these are the basis B. The tableau is M swept on it [1]_::

    [-inv(M_BB)          inv(M_BB) M_BN              ]
    [ M_NB inv(M_BB)     M_NN - M_NB inv(M_BB) M_BN  ]

so what is found moves along one of its rows when one given number changes.

References
----------
.. [1] J. H. Goodnight, "A tutorial on the SWEEP operator", The American Statistician 33 (1979).
"""

from pipelines.rebalance.kernels import part

# Rows of ``state``, one column for each symbol and row of the problem. ``SIGN`` is that of a trade
# in turnover. What is found is to stay from ``LOW`` to ``HIGH``, ends that tilt with turnover's
# price. ``DIAGONAL`` is the tableau's, ``DUAL`` for ascents, and ``WAY`` and ``SCORE`` for numbers
# that are needed for a moment.
GAIN, SELL, BUY, LOWER, CURRENT, UPPER, SIGN = range(7)
GIVEN, FOUND, LOW, HIGH, LOW_TILT, HIGH_TILT, DIAGONAL, DUAL, WAY, SCORE = range(7, 17)
STATES = 17

LEAST_VARIANCE = 1e-13
LEAST_PIVOT = 1e-10
"""Below it what is to be fixed depends on the basis; what does not has a pivot of about one."""


@part
def sweep(tableau, state, k, side):  # type: ignore[no-untyped-def]
    """Exchange what is given and what is found of k; ``side`` is 1 into the basis, -1 out of it."""
    pivot, width = state[WAY], tableau.shape[1]
    inverse = 1.0 / tableau[k, k]
    for j in range(width):
        pivot[j] = tableau[k, j]
    pivot[k] = 0.0
    for r in range(tableau.shape[0]):
        factor = pivot[r] * inverse
        if factor != 0.0:
            row = tableau[r]
            for j in range(width):
                row[j] -= factor * pivot[j]
            row[k] = side * factor
    diagonal = state[DIAGONAL]
    for j in range(width):
        diagonal[j] -= pivot[j] * inverse * pivot[j]
        tableau[k, j] = side * inverse * pivot[j]
    diagonal[k], tableau[k, k] = -inverse, -inverse


@part
def exchange(tableau, state, k, given, side):  # type: ignore[no-untyped-def]
    """Bring k into the basis (side 1) or out of it (-1), where ``given`` is what it is to have."""
    found = state[FOUND]
    step = (found[k] - given) / tableau[k, k]
    value = state[GIVEN, k] + side * step
    for j in range(tableau.shape[1]):
        found[j] -= step * tableau[k, j]
    found[k] = value
    state[GIVEN, k] = given
    sweep(tableau, state, k, side)


@part
def combine(tableau, state, to, other, factor):  # type: ignore[no-untyped-def]
    """Add a multiple of one row and column to another."""
    for j in range(tableau.shape[0]):
        tableau[to, j] += factor * tableau[other, j]
    for j in range(tableau.shape[0]):
        tableau[j, to] += factor * tableau[j, other]
    state[DIAGONAL, to] = tableau[to, to]
