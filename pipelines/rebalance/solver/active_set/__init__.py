"""A dual active-set method for the allocation problem, compiled, one problem after the other.

In its multiplier a symbol climbs a staircase: at its lower bound, selling, at its current weight
(the kink of the cost), buying, at its upper bound. On even steps the weight is fixed and the
multiplier is free within an interval; on odd ones the multiplier is the slope of the cost and the
weight is free within a cell. So cost needs no variables of its own [1]_. The turnover limit adds
its price to both slopes: it widens every kink, and as a row it has the sign of each trade.

The steps of all symbols and rows, the working set, have one optimum. It is kept in a tableau, in
which whatever moves costs one sweep (``tableau``). From what is held, the step whose change gains
most is changed until none is contradicted (``settle``): that ends nearly always, after a few moves,
at the optimum. Where it does not, multipliers are brought into their intervals, and from there a
dual method raises its objective with every step until it ends (``ascend``).

Units: variances are divided by their mean, so multipliers are of the order of weights. Nothing is
reassociated or contracted, and nothing is shared between problems but the market's covariance.

References
----------
.. [1] M. Best and J. Hlouskova, "Quadratic programming with transaction costs", Computers &
   Operations Research 35 (2008).
"""
