"""Which model serves: evidence against baselines and champion, on records of validation."""
