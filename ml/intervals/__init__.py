"""Intervals that hold what they say: calibrated on what was held out, and moved by outcomes."""
