"""Shared by all tests."""

import pytest
from hypothesis import settings

import ssmlab

settings.register_profile("ssmlab", deadline=None)  # a busy machine is no failure
settings.load_profile("ssmlab")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--pictures", help="folder for the screenshots of the browser tests; default: a temporary one")


@pytest.fixture(scope="session")
def sample() -> ssmlab.Snapshot:
    """The sample organisation; no test changes it, since a changed snapshot is a copy."""
    return ssmlab.load("data/sample")


@pytest.fixture(scope="session")
def reach(sample: ssmlab.Snapshot) -> ssmlab.Reach:
    return ssmlab.reach(sample)
