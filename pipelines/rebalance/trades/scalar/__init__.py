"""One account at a time: what the kernels replace, kept until the stage no longer calls it."""
