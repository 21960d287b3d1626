"""What all accounts of a run share: instruments, covariances, prior, views, risk aversion."""
