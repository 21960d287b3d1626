"""``smartinvest bench cluster-faults``: break a native cluster in every way that it must survive.

A cluster with two workers runs the DAGs on real servers. Fault after fault is injected while a run
is under way, and each time the store is asked what became of it: whether it holds what an
undisturbed run makes, row for row, and whether anybody could ever have read half of it.
"""
