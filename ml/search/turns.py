"""Whose turn it is in a search that workers share: a batch begins when those before are settled."""

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ml.plans import SearchPlan
from ml.search.study import RETRIES, is_settled

if TYPE_CHECKING:
    import optuna


class Turns:
    """The trials of a study as they stand at one moment.

    A trial's *place* is how many settings were proposed before its own. A second try of a killed
    trial keeps the place of the first, so that places, unlike Optuna's numbers, say what is tried.
    """

    def __init__(self, study: "optuna.Study", plan: SearchPlan) -> None:
        self._trials = study.get_trials(deepcopy=False)
        self._plan = plan

    def place(self, number: int) -> int:
        """Return the place of a trial."""
        first_try = self._trials[number].system_attrs.get("failed_trial", number)
        return sum(RETRIES not in each.system_attrs for each in self._trials[:first_try])

    @cached_property
    def settled(self) -> Mapping[int, "optuna.trial.FrozenTrial"]:
        """Trials that came to an end, in the order of their places.

        Not those that were killed and tried again, nor those beyond the plan's number.
        """
        ended = {self.place(trial.number): trial for trial in self._trials if is_settled(trial)}
        return {place: ended[place] for place in sorted(ended) if place < self._plan.trials}

    def settled_place(self, number: int) -> int | None:
        """Return the place of a trial that is settled, and None of any other."""
        place = self.place(number)
        trial = self.settled.get(place)
        return place if trial is not None and trial.number == number else None

    def before(self, place: int) -> list["optuna.trial.FrozenTrial"]:
        """Return the settled trials of the batches before a trial's."""
        start = self._plan.batch_start(place)
        return [trial for other, trial in self.settled.items() if other < start]

    def is_open(self, place: int) -> bool:
        """Say whether all trials of the batches before a trial's are settled."""
        return len(self.before(place)) == self._plan.batch_start(place)

    @property
    def waiting(self) -> bool:
        """Whether a killed trial waits for somebody who tries it again."""
        return self._count("WAITING") > 0

    @property
    def has_next(self) -> bool:
        """Whether there is a trial that may be begun now."""
        following = sum(RETRIES not in each.system_attrs for each in self._trials)
        return self.waiting or (following < self._plan.trials and self.is_open(following))

    @property
    def is_over(self) -> bool:
        """Whether all trials are settled; all workers then find the same."""
        return len(self.settled) >= self._plan.trials

    def _count(self, state: str) -> int:
        return [trial.state.name for trial in self._trials].count(state)
