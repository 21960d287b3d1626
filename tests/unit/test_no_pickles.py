"""Nothing of ours reads pickles: whoever can write such a file runs code where it is read."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ROOMS = ("pipelines", "ml", "models", "expectations", "dags", "plugins")
FILES = [file for room in ROOMS for file in sorted((REPOSITORY / room).rglob("*.py"))]
_LIBRARIES = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
_CALLS = {"read_pickle", "to_pickle", "eval", "exec", "load_module", "unsafe_load", "mktemp"}


@pytest.mark.parametrize("room", ROOMS)
def test_no_library_of_pickles_is_imported(room: str) -> None:
    found = []
    for file in FILES:
        if not file.is_relative_to(REPOSITORY / room):
            continue
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            found += [(file.name, name) for name in names if name.split(".")[0] in _LIBRARIES]
    assert found == []


def test_no_text_is_run_as_code_and_every_array_is_loaded_without_objects() -> None:
    found, loads = [], 0
    for file in FILES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            library = getattr(getattr(node.func, "value", None), "id", "")
            if library in ("np", "numpy") and name in ("load", "savez", "save"):
                allowed = {keyword.arg: keyword.value for keyword in node.keywords}
                value = allowed.get("allow_pickle")
                assert isinstance(value, ast.Constant), f"{file}: {ast.unparse(node)}"
                assert value.value is False, f"{file}: {ast.unparse(node)}"
                loads += 1
            elif name in _CALLS and isinstance(node.func, ast.Name):
                found.append((file.name, ast.unparse(node)))
    assert found == []
    assert loads > 4, "the rule is about something"
