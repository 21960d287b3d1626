"""What a fit was given and has chosen, as short names and values that a person reads."""

from collections.abc import Mapping
from typing import Any

_LONGEST = 100


def plain_settings(state: Mapping[str, Any], horizons: tuple[int, ...]) -> dict[str, str]:
    """Return what is short in a model's state or a plan, flat.

    Lists of one entry per horizon are named by it. Weights and other long values are left out, and
    so are empty ones.
    """
    flat: dict[str, str] = {}
    for name, value in state.items():
        if isinstance(value, Mapping):
            inner = plain_settings(value, horizons)
            prefix = "" if name == "settings" else f"{name}."
            flat |= {f"{prefix}{key}": text for key, text in inner.items()}
        elif _is_by_horizon(value, horizons):
            for horizon, entry in zip(horizons, value, strict=True):
                flat |= plain_settings({f"{name}_{horizon}": entry}, horizons)
        elif 0 < len(text := _words(value)) <= _LONGEST:
            flat[name] = text
    return flat


def _is_by_horizon(value: Any, horizons: tuple[int, ...]) -> bool:
    return (
        isinstance(value, (list, tuple))
        and len(value) == len(horizons)
        and all(isinstance(entry, Mapping) for entry in value)
    )


def _words(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value))
    return str(value)
