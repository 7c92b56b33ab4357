"""The Python of the README runs as it stands, from top to bottom."""

import functools
import re
from pathlib import Path

import pytest

from interpnet_tf.data import sketchbirds

README = Path(__file__).parents[1] / "README.md"


@pytest.mark.slow
def test_python_of_the_readme(monkeypatch, tmp_path):
    # A few pictures are enough to see that every line runs.
    monkeypatch.setattr(sketchbirds, "load", functools.partial(sketchbirds.load, per_species=4))
    monkeypatch.setenv("PATH", str(tmp_path))  # no Java: METEOR has tests of its own, and takes a minute here
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), flags=re.DOTALL)
    names = {}
    for block in blocks:
        exec(block, names)
    assert len(names["train"]) == 4 * 24
    assert (tmp_path / "birds.keras").exists()
    assert set(names["scores"]["rows"]) == {"model", "constant sentence", "one human of the others"}
    assert list(names["introspector"].slices) == ["MobileNetV3Small/expanded_conv_10_add", "probabilities"]
