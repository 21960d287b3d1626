"""How loops are compiled: without the lock of Python, and dividing as numpy does.

Every new state of the code compiles them anew, so nothing is compiled that nobody calls.
"""

from numba import njit

_HOW = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}

kernel = njit(cache=True, **_HOW)
"""For a loop that Python calls."""

part = njit(no_cpython_wrapper=True, **_HOW)
"""For a part of one, kept with it: a way in from Python can take as long to compile as itself."""
