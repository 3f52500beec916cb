"""Cases as JSON: `load_cases("conditions")` gives pytest parameters whose ids are the cases' names."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent / "cases"


def load_cases(name: str) -> list[Any]:
    """The cases of tests/cases/<name>.json."""
    return [pytest.param(case, id=case["name"]) for case in json.loads((FOLDER / f"{name}.json").read_text("utf-8"))]
