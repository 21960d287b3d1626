"""Plausible people: age and earning power drive the answers, which now and then disagree."""

import datetime as dt
import math
import random
from dataclasses import dataclass

from pipelines.clients.records import Questionnaire

_DAYS_PER_YEAR = 365.25
_HUNDRED_DOLLARS = 10_000
_CONTRADICTS_SELF = 0.12


@dataclass(frozen=True)
class Person:
    """What lies behind a client's answers.

    ``earning_power`` and ``boldness`` are in standard deviations from the middle; a retired
    person lives on a pension.
    """

    age_years: float
    earning_power: float
    boldness: float
    retired: bool

    def birth_date(self, session: dt.date) -> dt.date:
        """Return the date of birth of somebody of this age on the session."""
        return session - dt.timedelta(days=round(self.age_years * _DAYS_PER_YEAR))

    @property
    def working_years(self) -> float:
        """Years in which something could be saved."""
        return max(self.age_years - 22.0, 0.5)


def draw_person(rng: random.Random) -> Person:
    """Draw an adult; the older are less bold, those who earn more are bolder."""
    age = rng.triangular(21.0, 85.0, 44.0)
    earning_power = rng.gauss(0.0, 1.0)
    boldness = 0.3 * earning_power - 0.02 * (age - 45.0) + rng.gauss(0.0, 0.9)
    retired = age > 60.0 and rng.random() < (age - 60.0) / 8.0
    return Person(age, earning_power, boldness, retired)


def draw_questionnaire(rng: random.Random, person: Person) -> Questionnaire:
    """Draw the answers that such a person gives."""
    income = _income(person)
    expenses = _rounded(income * _clamp(rng.gauss(0.74 - 0.06 * person.earning_power, 0.13)))
    liquid = _liquid_assets(rng, person, income, expenses)
    set_aside = liquid * rng.uniform(0.3, 1.0)
    reaction, gamble, attitude = _willingness(rng, person.boldness)
    return Questionnaire(
        annual_income_cents=income,
        annual_expenses_cents=expenses,
        liquid_assets_cents=liquid,
        income_stability=_score(
            3.1 + 0.4 * person.earning_power + 0.8 * person.retired + rng.gauss(0.0, 0.9)
        ),
        emergency_fund_months=min(int(set_aside * 12 / expenses), 48),
        max_loss_percent=_in_fives(18.0 + 9.0 * person.boldness + rng.gauss(0.0, 5.0)),
        reaction_to_fall=reaction,
        gamble_choice=gamble,
        stated_attitude=attitude,
    )


def _income(person: Person) -> int:
    hump = math.exp(-(((person.age_years - 48.0) / 22.0) ** 2))
    career = 5_200_000 * math.exp(0.5 * person.earning_power) * (0.55 + 0.6 * hump)
    return max(_rounded(career * (0.65 if person.retired else 1.0)), 12 * _HUNDRED_DOLLARS)


def _liquid_assets(rng: random.Random, person: Person, income: int, expenses: int) -> int:
    saved_share = max(1.0 - expenses / income, 0.04)
    years_of_income = 0.1 + 0.06 * person.working_years * saved_share
    return _rounded(income * years_of_income * math.exp(rng.gauss(0.0, 0.8)))


def _willingness(rng: random.Random, boldness: float) -> list[int]:
    """Three answers to the same question in disguise; some people contradict themselves."""
    scores = [_score(3.0 + 0.9 * boldness + rng.gauss(0.0, 0.6)) for _ in range(3)]
    if rng.random() < _CONTRADICTS_SELF:
        place = rng.randrange(3)
        scores[place] = 6 - scores[place]
    return scores


def _score(value: float) -> int:
    return min(max(round(value), 1), 5)


def _in_fives(percent: float) -> int:
    """People name round losses."""
    return min(max(5 * round(percent / 5.0), 0), 60)


def _clamp(spent_share: float) -> float:
    return min(max(spent_share, 0.35), 1.25)


def _rounded(cents: float) -> int:
    """Round to hundred dollars, the precision in which people answer."""
    return round(cents / _HUNDRED_DOLLARS) * _HUNDRED_DOLLARS
