"""The made-up study, once a session."""

import pytest

from tests.studies.convergence import made


@pytest.fixture(scope="session")
def study():
    models = made.models(12)
    truth = made.facts(models)
    return models, truth, made.scores(models, truth), made.performance(truth)
