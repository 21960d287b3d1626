"""Advice as rows of the store, and its publication in one step."""
