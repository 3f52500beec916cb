"""Shared by all tests."""

import pytest
from hypothesis import settings

settings.register_profile("ssmlab", deadline=None)  # a busy machine is no failure
settings.load_profile("ssmlab")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", help="folder for the screenshots of the browser tests; default: a temporary one")
