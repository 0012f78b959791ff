"""Packs that are not packaged: a folder of files, and a class of a script, put through the kit on request."""

from pathlib import Path

import pytest

import channelome as ch
from channelome.registry import registry

KIR = '''
from channelome.authoring import Array, Conductance, Ohmic, param

from .numbers import WIDTH


class IKir_{n}(Ohmic, ion="k"):
    """An inward rectifier without gates."""

    g_max: Conductance = param({g}, source="our choice")

    def conductance(self, V: Array) -> Array:
        return self.g_max / (1 + ((V + 80) / WIDTH) ** 2)


class _Hidden(IKir_{n}):
    """Not public."""
'''


def folder(path: Path, n: int, g: float = 0.1) -> Path:
    (path / "numbers.py").write_text("WIDTH = 10.0\n")
    (path / "kir.py").write_text(KIR.format(n=n, g=g))
    (path / "test_kir.py").write_text("raise SystemExit('tests are not for loading')")
    return path


def test_a_folder_is_loaded_by_name_and_again_when_it_has_changed(tmp_path: Path):
    assert ch.load_dir(folder(tmp_path, 1)) == ["IKir_1"]
    assert ch.channel("IKir_1").g_max == 0.1
    folder(tmp_path, 1, g=0.25)
    assert ch.load_dir(tmp_path) == ["IKir_1"]
    assert ch.channel("IKir_1").g_max == 0.25
    assert "_Hidden" not in registry


def test_models_of_a_folder_are_loaded_under_their_files_names(tmp_path: Path):
    ch.load_dir(folder(tmp_path, 2))
    cell = ch.SingleCompartment(1, "PotassiumFixed", K="IKir_2")
    ch.save(cell, tmp_path / "Rectifier.toml", title="A patch that rectifies")
    assert ch.load_dir(tmp_path) == ["IKir_2", "Rectifier"]
    assert ch.cell("Rectifier", size=3).size == (3,)
    assert registry.find("Rectifier").summary == "A patch that rectifies"
    saved = tmp_path / "saved.json"
    ch.save(ch.cell("Rectifier"), saved)
    assert ch.load(saved, on_mismatch="strict").channels["K"].g_max == 0.1


def test_a_model_of_a_class_that_is_not_registered_here_says_so(tmp_path: Path):
    ch.load_dir(folder(tmp_path, 3))
    file = tmp_path / "m.json"
    ch.save(ch.SingleCompartment(1, "PotassiumFixed", K="IKir_3"), file)
    file.write_text(file.read_text().replace("IKir_3", "IKir_unknown"))
    with pytest.raises(ch.UnknownName, match=r"channels.K uses IKir_unknown@1, which was registered by the script"):
        ch.load(file)


def test_a_file_that_does_not_run_is_named_with_its_line(tmp_path: Path):
    (tmp_path / "broken.py").write_text("x = 1\n1 / 0\n")
    with pytest.raises(ch.PackError, match=r"broken\.py:2 failed: ZeroDivisionError"):
        ch.load_dir(tmp_path)
    (tmp_path / "broken.py").write_text("def\n")
    with pytest.raises(ch.PackError, match=r"broken\.py:1 failed: SyntaxError"):
        ch.load_dir(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path):
    with pytest.raises(ch.ModelError, match="there is no folder"):
        ch.load_dir(tmp_path / "nowhere")


def test_checks_are_those_of_the_kit(tmp_path: Path):
    assert ch.load_dir(folder(tmp_path, 4), check=True) == ["IKir_4"]
    text = (tmp_path / "kir.py").read_text().replace("IKir_4", "IKir_5")
    (tmp_path / "kir.py").write_text(text.replace("(V + 80) / WIDTH) ** 2", "(V + 80) / WIDTH)"))  # a pole at -90 mV
    with pytest.raises(ch.ModelError, match=r"fails checks of the kit(.|\n)*IKir_5"):
        ch.load_dir(tmp_path, check=True)
    assert "IKir_5" not in registry


def test_a_class_of_a_script_is_checked_on_request():
    from channelome.authoring import Array, Conductance, Ohmic, param

    class IPole(Ohmic, ion="k"):
        """A current with a pole."""

        g_max: Conductance = param(0.1, source="our choice")

        def conductance(self, V: Array) -> Array:
            return self.g_max / (V + 40)

    with pytest.raises(ch.ModelError, match="fails checks of the kit"):
        ch.register(IPole, check=True)
    assert "IPole" not in registry
