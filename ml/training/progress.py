"""How far a training has come: parts weighed by what they cost, and the time that is left."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from ml.work import Progress, TrainingListener, TrainingProgress


@dataclass(frozen=True)
class Part:
    """A trial of the search, or one model of one fold.

    ``cost`` is a rough number of seconds; only its ratio to that of the other parts matters.
    """

    name: str
    cost: float


class TrainingTeller:
    """Tells a listener of the parts of a training as they begin, go on and end."""

    def __init__(self, parts: list[Part], listener: TrainingListener) -> None:
        self._listener = listener
        self._left = {part.name: part.cost for part in parts}
        self._total = sum(self._left.values())
        self._parts = len(parts)
        self._here = 0.0
        self._seconds = 0.0
        self._began = 0.0
        self._told = TrainingProgress("", 0, self._parts, 0.0, None, None)

    def begin(self, part: str) -> None:
        """Say which part is worked on now."""
        self._began = time.perf_counter()
        self._tell(part, 0.0, None)

    def step(self, part: str, progress: Progress) -> None:
        """Say what the fit of a part said last."""
        seconds = time.perf_counter() - self._began
        expected = seconds + progress.seconds_left
        self._tell(part, seconds / expected if expected > 0 else 0.0, progress)

    def end(self, part: str, *, worked: bool = True) -> None:
        """Say that a part is done; ``worked`` is false where it was done before."""
        cost = self._left.pop(part, 0.0)
        if worked:
            self._here += cost
            self._seconds += time.perf_counter() - self._began
        self._told = replace(self._told, done=self._parts - len(self._left))
        self._began = time.perf_counter()
        self._tell(part, 0.0, None)

    def skip(self, parts: Iterable[str]) -> None:
        """Count parts as done that were done before or by others, without a word."""
        for part in parts:
            self._left.pop(part, None)
        self._told = replace(self._told, done=self._parts - len(self._left))

    def _tell(self, part: str, share_of_part: float, step: Progress | None) -> None:
        left = sum(self._left.values())
        done_of_part = share_of_part * self._left.get(part, 0.0)
        here = self._here + done_of_part
        seconds = self._seconds + (time.perf_counter() - self._began if done_of_part else 0.0)
        share = 1.0 - (left - done_of_part) / self._total
        self._told = replace(
            self._told,
            part=part,
            share=max(share, self._told.share),
            seconds_left=seconds / here * (left - done_of_part) if here > 0 else None,
            step=step,
        )
        self._listener(self._told)
