"""One training: folds, fits that a kill does not lose, records out of sample, and the report."""
