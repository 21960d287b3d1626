"""A rebalance by one and by several workers: what it takes, and that nothing else differs."""
