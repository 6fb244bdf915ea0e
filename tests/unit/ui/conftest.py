"""One stored run for the tests of what shows it."""

import pytest

from terrafusion_lib.core.settings import Settings
from tests.support.stored_run import store_run


@pytest.fixture(scope="session")
def stored_run(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return store_run(tmp_path_factory.mktemp("stored_run"))
