"""What the documentation and our own remedies name is there: commands, files, headings."""

import re
from pathlib import Path

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from pipelines.cli import app
from pipelines.lineage import REPOSITORY

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
ROOMS = ("pipelines", "plugins", "dags", "ml", "models", "benchmarks")
SOURCES = [path for room in ROOMS for path in sorted((REPOSITORY / room).rglob("*.py"))]

COMMAND = re.compile(r"(?<![\w./-])(?:\.venv/bin/)?smartinvest ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name_of(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def commands_in(text: str) -> list[tuple[str, str]]:
    return [(match[1], match[2] or "") for match in COMMAND.finditer(text)]


def is_known(group: str, name: str) -> bool:
    """Whether there is such a command; what follows one that is no group is its argument."""
    root = get_command(app)
    assert isinstance(root, TyperGroup)
    found = root.commands.get(group)
    if isinstance(found, TyperGroup) and name:
        return name in found.commands
    return found is not None


def test_every_command_that_a_text_names_exists() -> None:
    named = {
        (name_of(file), *command)
        for file in (*PAGES, *SOURCES)
        for command in commands_in(file.read_text("utf-8"))
    }
    assert len(named) > 100
    assert [one for one in sorted(named) if not is_known(*one[1:])] == []


def test_a_command_that_does_not_exist_is_noticed() -> None:
    told = commands_in("`smartinvest maintenance`, then `smartinvest lake repair`")
    assert [is_known(*one) for one in told] == [False, False]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
        path, _, heading = link.partition("#")
        if "://" in link:
            continue
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if heading:
            assert heading in headings(target), link


def headings(page: Path) -> set[str]:
    """Return the anchors that a page's headings get."""
    lines = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", line).lower() for line in lines]
    return {re.sub(r"[^\w\- ]", "", line).replace(" ", "-") for line in plain}
