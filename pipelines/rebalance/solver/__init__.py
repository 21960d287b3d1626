"""The allocation problem: its definition in cvxpy, and the engine that solves many accounts."""
