"""Invented people: names in common use, put together at random, at a reserved mail host."""

import random

_GIVEN_NAMES = (
    "Ada Aisha Amara Anna Boris Carlos Chen Clara Daniel Diego Elena Emma Farid Felix Grace Hanna "
    "Hugo Ines Ivan Jamal Jonas Julia Kenji Lara Leo Lucia Maria Marcus Mei Mona Nadia Noah Olga "
    "Omar Paula Priya Rosa Ruben Samir Sofia Tariq Tessa Thomas Uma Vera Victor Wanda Yusuf Zoe"
)
_FAMILY_NAMES = (
    "Abbott Alvarez Andersen Banerjee Becker Bianchi Brooks Castillo Cohen Dubois Eriksen Fischer "
    "Flores Fraser Garcia Greene Haddad Hansen Ibrahim Ito Jansen Kaplan Keller Khan Kovacs Larsen "
    "Lopez Marino Mbeki Mehta Meyer Morales Nakamura Novak Okafor Olsen Park Petrov Quinn Reyes "
    "Rossi Sato Schmidt Silva Sousa Tanaka Torres Wagner Walsh Weber Yilmaz Zhang"
)
_GIVEN = _GIVEN_NAMES.split()
_FAMILY = _FAMILY_NAMES.split()
_HOST = "example.com"


def draw_name(rng: random.Random) -> str:
    """Draw a given and a family name."""
    return f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}"


def address_of(full_name: str, number: int) -> str:
    """Return an address that no two numbers share, at a host that receives no mail."""
    return f"{full_name.lower().replace(' ', '.')}.{number}@{_HOST}"
