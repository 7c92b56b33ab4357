"""Principal components of features, and the command that projects files on them."""

import numpy as np
import pytest

from interpnet_tf.backbones.principal_components import PrincipalComponents
from interpnet_tf.cli import main


def _plane(images, width, seed=0):
    """Vectors that differ in two directions only."""
    random = np.random.default_rng(seed)
    return random.normal(size=(images, 2)) * [3, 1] @ random.normal(size=(2, width)) + 5


def _distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


@pytest.mark.parametrize("width", [4, 9000])  # fewer features than images; more, in several blocks
def test_a_plane_is_kept_as_it_is(width):
    features = _plane(12, width)
    projected = PrincipalComponents.fit(features, 2)(features)
    assert projected.shape == (12, 2)
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose((projected**2).mean(), 0.1, rtol=1e-4)
    assert projected[:, 0].var() > projected[:, 1].var()
    ratio = _distances(projected)[0, 1:] / _distances(features)[0, 1:]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_other_images_are_projected_on_the_same_basis(tmp_path):
    found = PrincipalComponents.fit(_plane(12, 6), 2)
    found.save(tmp_path / "basis.npz")
    read = PrincipalComponents.read(tmp_path / "basis.npz")
    others = _plane(5, 6, seed=1)
    np.testing.assert_allclose(read(others), found(others), rtol=2e-3, atol=0.02)


def test_more_directions_than_there_are():
    with pytest.raises(ValueError, match="must be 1 to 4, for 5 images of 8 features, got 5"):
        PrincipalComponents.fit(_plane(5, 8), 5)
    with pytest.raises(ValueError, match="span fewer than 3 directions"):
        PrincipalComponents.fit(_plane(5, 8), 3)
    with pytest.raises(ValueError, match="must be 8 wide, got 7"):
        PrincipalComponents.fit(_plane(5, 8), 2)(_plane(5, 7))


def _features(path, features, ids):
    np.savez(path, features=features, ids=np.array(ids))
    return str(path)


def test_the_command_joins_by_ids_and_keeps_the_basis(tmp_path, capsys):
    features, ids = np.random.default_rng(0).normal(size=(6, 5)).astype("float32"), list("abcdef")
    left = _features(tmp_path / "left.npz", features[:, :3], ids)
    right = _features(tmp_path / "right.npz", features[::-1, 3:], ids[::-1])
    out = tmp_path / "out.npz"
    assert main(["reduce", left, right, "--components", "4", "--out", str(out)]) == 0
    assert capsys.readouterr().out == f"{out}: 4 of 5 features of 6 images\n"
    with np.load(out) as archive:
        assert archive["ids"].tolist() == ids
        reduced = archive["features"]
    expected = PrincipalComponents.fit(features, 4)(features)
    np.testing.assert_allclose(np.abs(reduced), np.abs(expected), atol=0.02)
    again, basis = tmp_path / "again.npz", str(tmp_path / "out.basis.npz")
    assert main(["reduce", left, right, "--basis", basis, "--out", str(again)]) == 0
    with np.load(again) as archive:
        np.testing.assert_array_equal(archive["features"], reduced)


def test_the_basis_is_found_on_the_training_photographs_of_cub(tmp_path):
    cub = tmp_path / "CUB_200_2011"
    (cub / "images").mkdir(parents=True)
    ids = [f"b/{name}.jpg" for name in "abcdef"]
    (cub / "images.txt").write_text("".join(f"{row} {name}\n" for row, name in enumerate(ids, 1)))
    (cub / "image_class_labels.txt").write_text("".join(f"{row} 1\n" for row in range(1, 7)))
    (cub / "train_test_split.txt").write_text("".join(f"{row} {row % 2}\n" for row in range(1, 7)))
    (cub / "classes.txt").write_text("1 b\n")
    (tmp_path / "text_c10" / "b").mkdir(parents=True)
    (tmp_path / "text_c10" / "b" / "a.txt").write_text("a bird\n")
    features = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
    file, out = _features(tmp_path / "all.npz", features, ids), tmp_path / "out.npz"
    assert main(["reduce", file, "--components", "2", "--cub", str(tmp_path), "--out", str(out)]) == 0
    basis = PrincipalComponents.read(tmp_path / "out.basis.npz")
    np.testing.assert_allclose(basis.mean, features[::2].mean(axis=0), atol=1e-3)


def test_wrong_files_are_named(tmp_path, capsys):
    np.savez(tmp_path / "bare.npz", features=np.eye(3))
    reduce = ["reduce", str(tmp_path / "bare.npz"), "--out", str(tmp_path / "out.npz")]
    assert main([*reduce, "--components", "2"]) != 0
    assert "has no array 'ids'" in capsys.readouterr().err
    with pytest.raises(ValueError, match="not mean and basis"):
        PrincipalComponents.read(tmp_path / "bare.npz")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        PrincipalComponents.read(tmp_path / "none.npz")
