from __future__ import annotations

import subprocess
import sys

import pytest

import contcrit.models as models
from contcrit.errors import SpecificationError
from contcrit.models import discovery

FILE = "from .base import Model\nMODEL = Model(\n    name={name!r},\n    paper='')\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "one.py").write_text(FILE.format(name="one"))
    (tmp_path / "helper.py").write_text("# MODEL = Model(name='no')\nMODELS = 3\nx = MODELS\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "__init__.py").write_text("")
    (tmp_path / "inner" / "two.py").write_text(
        FILE.format(name="two").replace("=", ": object =", 1)
    )
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "three.py").write_text(FILE.format(name="three"))
    return tmp_path


@pytest.fixture
def scan(monkeypatch):
    def found(folder):
        monkeypatch.setattr(discovery, "files", lambda package: folder)
        return discovery._modules.__wrapped__()

    return found


def test_models_are_found_in_subpackages_and_helpers_are_not(folder, scan):
    assert scan(folder) == {"one": "contcrit.models.one", "two": "contcrit.models.inner.two"}


def test_a_name_may_be_a_constant_of_the_file(folder, scan):
    text = "from .base import Model\nNAME = 'four'\nMODEL = Model(name=NAME, paper='')\n"
    (folder / "fourth.py").write_text(text)
    assert scan(folder)["four"] == "contcrit.models.fourth"


def test_two_models_of_one_name_are_refused(folder, scan):
    (folder / "other.py").write_text(FILE.format(name="one"))
    with pytest.raises(SpecificationError, match="Rename"):
        scan(folder)


def test_every_name_gives_its_model():
    names = models.names()
    assert "linear-network" in names
    assert list(names) == sorted(names)
    for name in names:
        assert models.get(name).name == name


def test_unknown_names_are_refused():
    with pytest.raises(SpecificationError, match="linear-network") as caught:
        models.get("linear-netwrok")
    assert caught.value.argument == "name"


def test_wrong_descriptions_are_refused():
    with pytest.raises(SpecificationError, match="describe"):
        models.rebuild({"model": "linear-network"})


def test_listing_the_names_imports_no_model():
    code = (
        "import sys, contcrit.models as m; m.names(); "
        "print(any(n.startswith('contcrit.models.linear') or n == 'sympy' for n in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
