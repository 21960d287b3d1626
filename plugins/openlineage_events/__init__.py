"""What OpenLineage events say of our assets; imported by its provider, where it is configured."""
