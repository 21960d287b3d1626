"""The page *Operations* and what it leads to; imported by the API server alone."""
