"""Whether goals will be reached, and what would make it likelier."""
