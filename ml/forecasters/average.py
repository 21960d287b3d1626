"""The plain average of other models."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from ml.forecasters import load_forecaster
from ml.forecasters.base import Contributions, Forecaster, Forecasts, average, read_state
from ml.panel import Panel
from ml.splits import Split
from ml.work import Work
from models.vocabulary import FORECAST_HORIZONS_SESSIONS, Attribution

MEMBERS_FOLDER = "members"


class AverageForecaster(Forecaster):
    """Mean of the members' means, with the root mean of their squared scales; equal weights.

    It forecasts where all members do: an average of some of them is another model, of which
    validation said nothing. Equal weights, because estimated ones rarely pay for their errors:
    Timmermann (2006), "Forecast combinations", Handbook of Economic Forecasting 1.

    Attributes
    ----------
    members : models of the same horizons.
    """

    name = "average"

    def __init__(self, horizons: tuple[int, ...] = FORECAST_HORIZONS_SESSIONS) -> None:
        super().__init__(horizons)
        self.members: tuple[Forecaster, ...] = ()

    @classmethod
    def of(cls, members: Iterable[Forecaster]) -> Self:
        """Return the average of fitted models, which it does not fit again."""
        fitted = tuple(members)
        forecaster = cls(fitted[0].horizons)
        forecaster.members = fitted
        return forecaster

    @property
    def history_sessions(self) -> int:
        """The longest of the members'."""
        return max(member.history_sessions for member in self.members)

    @property
    def trials(self) -> int:
        """All settings that the members were chosen from."""
        return sum(member.trials for member in self.members)

    def fit(self, panel: Panel, split: Split, work: Work) -> None:
        """Fit the members; their average has nothing to learn."""
        for member in self.members:
            member.fit(panel, split, work.part(member.name))

    def predict(self, panel: Panel, sessions: range) -> Forecasts:
        """Average what the members forecast."""
        return average([member.predict(panel, sessions) for member in self.members])

    def predict_seeds(self, panel: Panel, sessions: range) -> tuple[Forecasts, ...]:
        """Average the members' first seeds, their second seeds, and so on."""
        return average_seeds([member.predict_seeds(panel, sessions) for member in self.members])

    def explain(self, panel: Panel) -> Contributions:
        """Average what moved the members; a feature that one does not use moved it by 0."""
        explained = [member.explain(panel) for member in self.members]
        features = tuple(dict.fromkeys(name for one in explained for name in one.features))
        shape = len(self.horizons), len(panel.symbols), len(features)
        parts, seen = np.zeros(shape), np.full(shape[1:], np.nan)
        for one in explained:
            columns = [features.index(name) for name in one.features]
            parts[..., columns] += one.parts / len(explained)
            seen[:, columns] = one.seen
        baseline = np.mean([one.baseline for one in explained], axis=0)
        missing = np.isnan(baseline)[..., None]
        return Contributions(
            features, seen, baseline, np.where(missing, np.nan, parts), Attribution.AVERAGE
        )

    def state(self) -> dict[str, Any]:
        """Return the members' names."""
        return {"members": [member.name for member in self.members]}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over nothing: members are read from their folders, in ``load``."""

    def save(self, folder: Path) -> None:
        """Write each member into a folder of its own, so that the average stands alone."""
        super().save(folder)
        for member in self.members:
            part = folder / MEMBERS_FOLDER / member.name
            part.mkdir(parents=True)
            member.save(part)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ModelNotFoundError
            A member is missing or damaged.
        """
        forecaster = super().load(folder)
        names = read_state(folder)["members"]
        forecaster.members = tuple(
            load_forecaster(folder / MEMBERS_FOLDER / name) for name in names
        )
        return forecaster


def average_seeds(by_member: Sequence[Sequence[Forecasts]]) -> tuple[Forecasts, ...]:
    """Return the average of each seed; a member that has fewer of them begins anew."""
    return tuple(
        average([seeds[number % len(seeds)] for seeds in by_member])
        for number in range(max(map(len, by_member)))
    )
