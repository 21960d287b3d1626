"""The search of the network's settings as runs: one for the search, one for each trial below it."""

from collections import Counter
from collections.abc import Iterable

from ml.tracking.connection import Connection
from ml.tracking.metrics import log_metrics, log_parameters
from ml.tracking.tags import child_tags
from ml.work import Trial

_STATUS = {"complete": "FINISHED", "pruned": "KILLED", "fail": "FAILED"}
"""MLflow has no word for a trial that was ended because others did better."""


class TrialRuns:
    """Logs each trial once, as it ends or when the training is finished."""

    def __init__(self, connection: Connection, training_run_id: str) -> None:
        self._connection = connection
        self._training = training_run_id
        self._search: str | None = None
        self._logged: set[int] = set()

    def log(self, trial: Trial) -> None:
        """Log a trial that has ended.

        Raises
        ------
        TrackingError
            MLflow cannot be written.
        """
        if trial.number in self._logged:
            return
        with self._connection.use() as client:
            run = client.create_run(
                self._connection.experiment_id,
                run_name=f"trial {trial.number + 1:02d}",
                tags={
                    **child_tags(self._training, self._search_run(), "trial"),
                    "smartinvest.trial_state": trial.state,
                },
            )
            run_id = run.info.run_id
            log_parameters(client, run_id, trial.settings)
            log_metrics(
                client,
                run_id,
                [("held_out_loss", loss, epoch) for epoch, loss in sorted(trial.losses.items())]
                + [("lowest_held_out_loss", trial.held_out_loss, 0)]
                + [("seconds", trial.seconds, 0)],
            )
            client.set_terminated(run_id, _STATUS.get(trial.state, "FINISHED"))
        self._logged.add(trial.number)

    def finish(self, trials: Iterable[Trial]) -> dict[str, int]:
        """Log what is missing: trials of other workers, or of before a kill; return their states.

        Raises
        ------
        TrackingError
            MLflow cannot be written.
        """
        states: Counter[str] = Counter()
        best: Trial | None = None
        for trial in trials:
            self.log(trial)
            states[trial.state] += 1
            if trial.state == "complete" and _loss(trial) < _loss(best):
                best = trial
        if best is not None:
            with self._connection.use() as client:
                search = self._search_run()
                log_parameters(client, search, {"best_trial": best.number + 1, **best.settings})
                counts = [(f"trials_{state}", float(count), 0) for state, count in states.items()]
                log_metrics(
                    client, search, [("lowest_held_out_loss", best.held_out_loss, 0), *counts]
                )
                client.set_terminated(search, "FINISHED")
        return dict(states)

    def _search_run(self) -> str:
        if self._search is None:
            with self._connection.use() as client:
                run = client.create_run(
                    self._connection.experiment_id,
                    run_name="search of the network's settings",
                    tags=child_tags(self._training, self._training, "search"),
                )
            self._search = str(run.info.run_id)
        return self._search


def _loss(trial: Trial | None) -> float:
    if trial is None or trial.held_out_loss is None:
        return float("inf")
    return trial.held_out_loss
