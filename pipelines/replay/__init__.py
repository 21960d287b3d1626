"""Make a past run again from what was recorded of it, and say what differs."""

from pipelines.replay.comparison import Difference
from pipelines.replay.stage import Replay, difference_of, newest_run, replay, replay_text

__all__ = ["Difference", "Replay", "difference_of", "newest_run", "replay", "replay_text"]
