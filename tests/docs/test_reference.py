"""The reference pages say what the code says, and leave nothing without a meaning."""

import re

import pytest

from tests.conftest import ROOT
from tests.docs import parameters, reference, schemas

SCHEMAS = [one for group in schemas.groups() for one in group.schemas]


@pytest.mark.parametrize("name", reference.PAGES)
def test_a_page_is_what_the_code_says(name):
    assert (reference.FOLDER / name).read_text() == reference.text(name), "run `make docs`"


def test_there_is_no_other_page():
    assert {path.name for path in reference.FOLDER.iterdir()} == set(reference.PAGES)


@pytest.mark.parametrize(("section", "knob"), list(parameters.knobs()))
def test_every_knob_has_a_meaning(section, knob):
    assert parameters.SAID.get((section, knob)) or parameters.meanings(section).get(knob), (
        "write a comment beside it in params.yaml, or in conf/ where it stands there alone"
    )


@pytest.mark.parametrize(("schema", "said"), SCHEMAS, ids=[schema.name for schema, _ in SCHEMAS])
def test_every_column_has_a_meaning(schema, said):
    assert not [one for one in schema.columns if not schemas.meaning(one, said)], "write a comment beside it in tables/"


def test_every_schema_is_on_the_page():
    assert {schema.name for schema, _ in SCHEMAS} == {
        one.name for one in vars(schemas.package).values() if isinstance(one, schemas.Schema)
    }
    assert not set(schemas.WHERE) & set(schemas.IN_MEMORY)


def test_tables_lie_where_the_page_says():
    files = [*ROOT.glob("data/*/**/*.parquet"), *ROOT.glob("models/*/*.parquet")]
    found = [path.relative_to(ROOT) for path in files if "raw" not in path.parts]
    if not found:
        pytest.skip("no run of the pipeline lies in this checkout (make repro)")
    for path in found:
        place = re.sub(r"subj\d\d", "SUBJECT", path.parent.as_posix())
        place = re.sub(r"^models/.+", "models/RUN", place)
        table = next((name for name, file in schemas.FILES.items() if file == path.stem), path.stem)
        assert place in schemas.folders(table), path


def test_every_variable_of_the_environment_is_explained():
    used = {
        word for path in (ROOT / "src").rglob("*.py") for word in re.findall(r"\bHOMOPLASY_[A-Z_]+", path.read_text())
    }
    assert used == set(parameters.ENVIRONMENT)
