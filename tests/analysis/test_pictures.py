import numpy as np
import pytest
from PIL import Image

from interpnet_tf.analysis.pictures import save_figure
from interpnet_tf.generation.explanation import Explanation


def explanation(label):
    return Explanation(label, 0, 0.9, "a black bird.", ("a", "black", "bird", "."), (-0.1,) * 4)


def test_pictures_with_reasons(tmp_path):
    """Three pictures in two columns take two rows of 1.75 inches at 150 pixels an inch."""
    images = np.zeros((3, 8, 8, 3), "uint8")
    said = [explanation("Crow")] * 3
    save_figure(tmp_path / "plain.png", images, said, ["Crow", "Crow", "Gull"])
    save_figure(tmp_path / "birds.png", images, said, ["Crow", "Crow", "Gull"], ["it is black"] * 3)
    with Image.open(tmp_path / "birds.png") as with_reasons, Image.open(tmp_path / "plain.png") as plain:
        assert with_reasons.size == plain.size == (1680, 525)
        assert (np.asarray(with_reasons) != np.asarray(plain)).any()


def test_parts_must_fit(tmp_path):
    with pytest.raises(ValueError, match=r"'images': 2, 'explanations': 1"):
        save_figure(tmp_path / "birds.png", np.zeros((2, 8, 8, 3)), [explanation("Crow")])
    with pytest.raises(ValueError, match="'reasons': 2"):
        save_figure(tmp_path / "b.png", np.zeros((1, 8, 8, 3)), [explanation("Crow")], reasons=["a", "b"])
    assert not list(tmp_path.iterdir())
