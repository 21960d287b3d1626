"""The pages behind the tab *dbt results*; imported by the API server alone."""
