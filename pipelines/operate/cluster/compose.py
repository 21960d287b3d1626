"""Read docker-compose.yml: its services with variables filled in, for the native cluster.

The subset of the compose specification that the file uses; what lies outside of it is refused
rather than ignored, so that the native cluster never differs from the file in silence.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipelines.errors import ProcessError

HEALTHY = "service_healthy"
COMPLETED = "service_completed_successfully"

_VARIABLE = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Z][A-Z0-9_]*)(?:(?P<how>:-|:\?)(?P<word>[^}]*))?\})"
)
_DURATION = re.compile(r"(\d+)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

# What says how a container is made or fenced in has no meaning for a process of this machine.
_OF_CONTAINERS = {
    "image", "build", "user", "init", "cap_drop", "security_opt", "ports", "shm_size",
}  # fmt: skip
_READ = {
    "command", "environment", "volumes", "working_dir", "depends_on", "healthcheck", "scale",
    "restart", "stop_signal", "stop_grace_period", "expose",
}  # fmt: skip


@dataclass(frozen=True)
class Health:
    """How a service is asked whether it is well; times in seconds."""

    test: tuple[str, ...]
    timeout_s: float
    start_period_s: float
    start_interval_s: float

    @property
    def command(self) -> tuple[str, ...]:
        """The command that ends with 0 where the service is well."""
        how, *words = self.test
        return ("/bin/sh", "-c", *words) if how == "CMD-SHELL" else tuple(words)


@dataclass(frozen=True)
class Service:
    """One service of the file.

    ``volumes`` maps paths in the container to the names of volumes, ``""`` where a volume belongs
    to one container alone; ``ports`` maps variables to the ports that they choose, on which it
    listens; ``depends_on`` maps services to the condition that is waited for.
    """

    name: str
    command: tuple[str, ...]
    environment: dict[str, str]
    volumes: dict[str, str]
    ports: dict[str, int]
    working_dir: str
    depends_on: dict[str, str]
    health: Health | None
    replicas: int
    restarts: bool
    stop_signal: str
    stop_grace_s: float


def variables_of(file: Path) -> set[str]:
    """Return the names of all variables that a compose file asks its environment for."""
    document = _document(file)
    found = {match["name"] for match in _VARIABLE.finditer(str(document)) if match["name"]}
    for service in document["services"].values():
        environment = service.get("environment", {})
        found |= {name for name, value in environment.items() if value is None}
    return found


def read_services(file: Path, variables: Mapping[str, str]) -> dict[str, Service]:
    """Return the services of a compose file in an order in which they can be started.

    Parameters
    ----------
    file : a compose file.
    variables : what the file's ``${NAME}`` stand for; a set and empty one counts as unset, as
        ``:-`` and ``:?`` do.

    Raises
    ------
    ProcessError
        A variable without default is missing, a name is given twice, a service uses something
        that a native cluster cannot do, or services wait for each other in a circle.
    """
    services = {
        name: _service(name, body, variables) for name, body in _document(file)["services"].items()
    }
    return {name: services[name] for name in _order(services)}


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Fill in ``${NAME}``, ``${NAME:-default}`` and ``${NAME:?message}``; ``$$`` is a dollar.

    Raises
    ------
    ProcessError
        A variable without default is missing, or a dollar sign belongs to none of these.
    """

    def value(match: re.Match[str]) -> str:
        if match["dollar"]:
            return "$"
        found = variables.get(match["name"], "")
        if not found and match["how"] == ":?":
            raise ProcessError(
                f"variable {match['name']}", "", "docker-compose.yml needs it", "See .env.example."
            )
        return found or (match["word"] or "")

    if "$" in _VARIABLE.sub("", text):
        raise ProcessError(
            "docker-compose.yml", text, "a native cluster cannot read this use of $", "Use ${NAME}."
        )
    return _VARIABLE.sub(value, text)


def seconds(duration: str) -> float:
    """Return the seconds of a duration such as ``1m30s``."""
    parts = _DURATION.findall(duration)
    if not parts or "".join(map("".join, parts)) != duration:
        raise ProcessError("docker-compose.yml", duration, "it is no duration", "Write 90s or 2m.")
    return sum(int(number) * _SECONDS[unit] for number, unit in parts)


def _document(file: Path) -> Any:
    """Return what a file says; a name given twice is refused, as container engines do."""
    text = file.read_text("utf-8")
    for mapping in _mappings(yaml.compose(text)):
        names = [name.value for name, _ in mapping.value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ProcessError(
                "docker-compose.yml", ", ".join(twice), "it is given twice in one place",
                "Keep one of them.",
            )  # fmt: skip
    return yaml.safe_load(text)


def _mappings(node: yaml.Node) -> Iterator[yaml.MappingNode]:
    if isinstance(node, yaml.MappingNode):
        yield node
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _mappings(item)


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, str):
        return interpolate(node, variables)
    if isinstance(node, list):
        return [_filled(item, variables) for item in node]
    if isinstance(node, dict):
        return {name: _filled(value, variables) for name, value in node.items()}
    return node


def _service(name: str, written: dict[str, Any], variables: Mapping[str, str]) -> Service:
    body = _filled(written, variables)
    unknown = set(body) - _READ - _OF_CONTAINERS
    if unknown or body.get("restart") not in ("no", "unless-stopped"):
        raise ProcessError(
            f"service {name}",
            ", ".join(sorted(unknown)) or body.get("restart"),
            "a native cluster does not know it",
            "Teach pipelines/operate/cluster/compose.py what it means.",
        )
    check = body.get("healthcheck")
    return Service(
        name=name,
        command=tuple(body["command"]),
        environment=_environment(body.get("environment", {}), variables),
        volumes=dict(map(_volume, body.get("volumes", ()))),
        ports=dict(_port(text, variables) for text in written.get("expose", ())),
        working_dir=body.get("working_dir", ""),
        depends_on={on: how["condition"] for on, how in body.get("depends_on", {}).items()},
        health=_health(check) if check else None,
        replicas=int(body.get("scale", 1)),
        restarts=body["restart"] == "unless-stopped",
        stop_signal=body.get("stop_signal", "SIGTERM"),
        stop_grace_s=seconds(body.get("stop_grace_period", "10s")),
    )


def _environment(given: dict[str, Any], variables: Mapping[str, str]) -> dict[str, str]:
    passed_on = {name: variables.get(name) for name, value in given.items() if value is None}
    return {name: str(value) for name, value in (given | passed_on).items() if value is not None}


def _volume(text: str) -> tuple[str, str]:
    source, _, target = text.rpartition(":")
    return target, source


def _port(written: str, variables: Mapping[str, str]) -> tuple[str, int]:
    variable = _VARIABLE.fullmatch(written)
    if variable is None or not variable["name"]:
        raise ProcessError(
            "docker-compose.yml", written, "no variable chooses this port", "Write ${NAME:-8080}."
        )
    return variable["name"], int(interpolate(written, variables))


def _health(check: dict[str, Any]) -> Health:
    return Health(
        test=tuple(check["test"]),
        timeout_s=seconds(check["timeout"]),
        start_period_s=seconds(check["start_period"]),
        start_interval_s=seconds(check["start_interval"]),
    )


def _order(services: Mapping[str, Service]) -> list[str]:
    ordered: list[str] = []
    while len(ordered) < len(services):
        ready = [
            name
            for name, service in services.items()
            if name not in ordered and set(service.depends_on) <= set(ordered)
        ]
        if not ready:
            circle = sorted(set(services) - set(ordered))
            raise ProcessError(
                "docker-compose.yml", ", ".join(circle), "they wait for each other", "Mend it."
            )
        ordered += ready
    return ordered
