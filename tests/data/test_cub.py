"""Tests of `interpnet_tf.data.cub`, on a tiny folder of the official layout and on the real data."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from interpnet_tf.data import cub

REAL = Path(__file__).resolve().parents[3] / "shared/data/cub"
SPECIES = ["001.Black_footed_Albatross", "002.Rusty_Crow"]
IMAGES_A_SPECIES = 12  # of which the last two are test images


@pytest.fixture
def root(tmp_path):
    """Two species of twelve images; every image of the first species has two sentences."""
    folder = tmp_path / "CUB_200_2011"
    names = [f"{species}/{species[4:]}_{i:04}.jpg" for species in SPECIES for i in range(IMAGES_A_SPECIES)]
    folder.mkdir()
    write_lines(folder / "classes.txt", SPECIES)
    write_lines(folder / "images.txt", names)
    write_lines(folder / "image_class_labels.txt", [1 + (i >= IMAGES_A_SPECIES) for i in range(len(names))])
    write_lines(
        folder / "train_test_split.txt",
        [int(i % IMAGES_A_SPECIES < IMAGES_A_SPECIES - 2) for i in range(len(names))],
    )
    (tmp_path / "text_c10" / SPECIES[0]).mkdir(parents=True)
    for i, name in enumerate(names[:IMAGES_A_SPECIES]):
        text = f"  Image {i} is  a bird.\n\nIt has wings . \n"
        (tmp_path / "text_c10" / name).with_suffix(".txt").write_text(text)
    write_features(tmp_path / "features/net.npz", np.arange(len(names))[:, None] * [1.0, 10.0])
    return tmp_path


def write_lines(path, values):
    path.write_text("".join(f"{i} {value}\n" for i, value in enumerate(values, start=1)))


def write_features(path, features, name="features"):
    path.parent.mkdir(exist_ok=True)
    np.savez(path, **{name: features})


def replace_line(path, number, line):
    lines = path.read_text().split("\n")
    lines[number - 1] = line
    path.write_text("\n".join(lines))


def test_the_test_split_is_the_official_one(root):
    test = cub.load(root, "test")
    assert test.ids == [f"{s}/{s[4:]}_{i:04}.jpg" for s in SPECIES for i in (10, 11)]
    assert test.labels.tolist() == [0, 0, 1, 1]
    assert test.class_names == ["Black footed Albatross", "Rusty Crow"]
    assert test.explanations == [
        ["Image 10 is  a bird.", "It has wings ."],
        ["Image 11 is  a bird.", "It has wings ."],
        [],
        [],
    ]
    assert test.inputs.dtype == np.float32
    assert test.inputs.tolist() == [[10, 100], [11, 110], [22, 220], [23, 230]]


def test_train_and_validation_divide_each_species_of_the_official_training_images(root):
    parts = {split: cub.load(root, split, validation_fraction=0.2) for split in cub.SPLITS}
    assert np.bincount(parts["train"].labels).tolist() == [8, 8]
    assert np.bincount(parts["validation"].labels).tolist() == [2, 2]
    assert sorted(parts["train"].ids + parts["validation"].ids) == sorted(parts["trainval"].ids)
    assert len(set(parts["trainval"].ids) | set(parts["test"].ids)) == 24
    for part in parts.values():
        rows = [int(path[-8:-4]) + 12 * path.startswith("002") for path in part.ids]
        assert part.inputs[:, 0].tolist() == rows


def test_the_validation_draw_obeys_the_seed(root):
    def draw(seed):
        return cub.load(root, "validation", validation_fraction=0.5, seed=seed).ids

    assert draw(3) == draw(3)
    assert len({tuple(draw(seed)) for seed in range(5)}) > 1


def test_labels_follow_the_order_of_classes_txt(root):
    folder = root / "CUB_200_2011"
    (folder / "classes.txt").write_text("2 002.Rusty_Crow\n1 001.Black_footed_Albatross\n")
    test = cub.load(root, "test")
    assert [test.class_names[label] for label in test.labels] == ["Black footed Albatross"] * 2 + [
        "Rusty Crow"
    ] * 2


def test_the_inner_folder_is_accepted_as_root(root, monkeypatch):
    expected = cub.load(root, "test")
    assert cub.load(root / "CUB_200_2011", "test").explanations == expected.explanations
    monkeypatch.chdir(root / "CUB_200_2011")
    np.testing.assert_array_equal(cub.load(".", "test").inputs, expected.inputs)


def test_windows_line_ends_are_accepted(root):
    for path in (*root.glob("CUB_200_2011/*.txt"), *root.glob("text_c10/*/*.txt")):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert cub.load(root, "test").explanations[0] == ["Image 10 is  a bird.", "It has wings ."]


def test_byte_order_marks_are_no_words(root):
    before = cub.load(root, "test").explanations
    for path in [*(root / "text_c10").glob("*/*.txt"), root / "CUB_200_2011" / "images.txt"]:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert cub.load(root, "test").explanations == before


def test_features_with_ids_are_found_by_them(root):
    plain = cub.load(root, "test")
    names = [line.split()[1] for line in (root / "CUB_200_2011/images.txt").read_text().splitlines()]
    with np.load(root / "features/net.npz") as archive:
        np.savez(root / "other.npz", features=archive["features"][::-1], ids=names[::-1])
    np.testing.assert_array_equal(cub.load(root, "test", features=root / "other.npz").inputs, plain.inputs)


def test_image_paths_are_those_of_load(root):
    for split in cub.SPLITS:
        paths, labels = cub.image_paths(root, split, seed=3)
        loaded = cub.load(root, split, seed=3)
        assert ["/".join(path.parts[-2:]) for path in paths] == loaded.ids
        np.testing.assert_array_equal(labels, loaded.labels)


def test_half_precision_features_become_float32(root):
    write_features(root / "other.npz", np.full((24, 3), 0.1, "float16"))
    inputs = cub.load(root, "test", features=root / "other.npz").inputs
    assert inputs.dtype == np.float32
    np.testing.assert_array_equal(inputs, np.full((4, 3), np.float32(np.float16(0.1))))


def write_photographs(root):
    """Writes wide photographs with white sides and a middle of a grey that tells them apart."""
    for number, line in enumerate((root / "CUB_200_2011/images.txt").read_text().splitlines()):
        path = root / "CUB_200_2011/images" / line.split()[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((16, 48, 3), 10 * number, "uint8")
        pixels[:, :16] = pixels[:, 32:] = 255
        Image.fromarray(pixels).save(path, quality=100)


@pytest.mark.parametrize("features", [False, None])
def test_photographs_are_cropped_at_the_centre(root, features):
    write_photographs(root)
    if features is None:
        shutil.rmtree(root / "features")
    inputs = cub.load(root, "test", features=features, image_size=8).inputs
    assert inputs.dtype == np.uint8
    assert inputs.shape == (4, 8, 8, 3)
    for image, row in zip(inputs, (10, 11, 22, 23), strict=True):
        np.testing.assert_allclose(image[:, 2:-2], 10 * row, atol=3)


def test_one_photograph_at_its_full_size(root):
    write_photographs(root)
    (name,) = cub.load(root, "test").ids[:1]
    with Image.open(root / "CUB_200_2011" / "images" / name) as original:
        assert cub.photograph(root, name).size == original.size
    assert cub.photograph(root, "002.Rusty_Crow/none.jpg") is None


def test_an_unreadable_photograph_is_named(root):
    write_photographs(root)
    path = root / "CUB_200_2011/images" / SPECIES[1] / "Rusty_Crow_0010.jpg"
    path.write_bytes(b"not an image")
    with pytest.raises(ValueError, match=r"Rusty_Crow_0010\.jpg cannot be read as an image"):
        cub.load(root, "test", features=False)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"Rusty_Crow_0010\.jpg"):
        cub.load(root, "test", features=False)


def test_wrong_arguments(root):
    with pytest.raises(ValueError, match="split must be one of train, validation, test, trainval, got 'val'"):
        cub.load(root, "val")
    with pytest.raises(ValueError, match="validation_fraction must lie between 0 and 1, got 2"):
        cub.load(root, "train", validation_fraction=2)
    with pytest.raises(ValueError, match="size must be a positive number of pixels, got 0"):
        cub.load(root, "test", features=False, image_size=0)


def test_wrong_roots(root):
    with pytest.raises(FileNotFoundError, match="nowhere' is not a folder; it must hold CUB_200_2011"):
        cub.load(root / "nowhere", "test")
    with pytest.raises(FileNotFoundError, match=r"no folder CUB_200_2011 .*no images\.txt"):
        cub.load(root / "features", "test")
    shutil.rmtree(root / "text_c10")
    with pytest.raises(FileNotFoundError, match=r"text_c10' holds no <species>/<name>\.txt; unpack"):
        cub.load(root, "test")


@pytest.mark.parametrize("name", ["images", "classes", "image_class_labels", "train_test_split"])
def test_a_missing_list_is_named(root, name):
    (root / f"CUB_200_2011/{name}.txt").unlink()
    with pytest.raises(FileNotFoundError, match=rf"CUB_200_2011/{name}\.txt' is missing"):
        cub.load(root, "test")


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("images", "3", r"images\.txt:3: expected '<image id> <species>/<name>\.jpg', got '3'"),
        ("image_class_labels", "3 crow", r"labels\.txt:3: expected '<image id> <class id>', got '3 crow'"),
        ("image_class_labels", "3 7", r"labels\.txt gives image 3 the class 7, which classes\.txt does not"),
        ("image_class_labels", "2 1", r"labels\.txt:3: the id 2 stands in an earlier line too"),
        ("image_class_labels", "", r"labels\.txt has no line for image 3 of images\.txt, '001\."),
        ("train_test_split", "3 2", r"split\.txt:3: expected '<image id> <1 for training, 0 for test>'"),
        ("train_test_split", "99 1", r"split\.txt has no line for image 3 of images\.txt"),
    ],
)
def test_a_wrong_line_is_named(root, name, line, message):
    replace_line(root / f"CUB_200_2011/{name}.txt", 3, line)
    with pytest.raises(ValueError, match=message):
        cub.load(root, "test")


def test_text_that_is_not_utf8_is_named(root):
    (root / "text_c10" / SPECIES[0] / "Black_footed_Albatross_0010.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(ValueError, match=r"Albatross_0010\.txt is not UTF-8"):
        cub.load(root, "test")


def test_an_empty_split_is_an_error(root):
    with pytest.raises(ValueError, match=r"'validation' is empty.* validation_fraction is 0\.01"):
        cub.load(root, "validation", validation_fraction=0.01)
    write_lines(root / "CUB_200_2011/train_test_split.txt", [1] * 24)
    with pytest.raises(ValueError, match=r"'test' is empty.* has 0 test and 24 training images"):
        cub.load(root, "test")


def test_the_first_row_of_features_that_is_not_finite_is_named(root):
    features = np.zeros((24, 2))
    features[[5, 9], 1] = np.nan, np.inf
    write_features(root / "features/net.npz", features)
    with pytest.raises(ValueError, match=r"row 5 of 'features', example '001.*_0005\.jpg', holds NaN or inf"):
        cub.load(root, "test")


@pytest.mark.parametrize(
    "features", [np.zeros((23, 2)), np.zeros(24), np.full((24, 2), "a")], ids=["rows", "rank", "type"]
)
def test_features_of_a_wrong_shape_or_type(root, features):
    write_features(root / "features/net.npz", features)
    with pytest.raises(ValueError, match=r"must be numbers \(24, width\), one row an example"):
        cub.load(root, "test")


def test_feature_files_that_cannot_be_used(root):
    with pytest.raises(FileNotFoundError, match=r"there is no file '.*none\.npz'"):
        cub.load(root, "test", features=root / "none.npz")
    write_features(root / "wrong.npz", np.zeros((24, 2)), name="r")
    with pytest.raises(ValueError, match=r"wrong\.npz has no array 'features', only \['r'\]"):
        cub.load(root, "test", features=root / "wrong.npz")
    write_features(root / "pickled.npz", np.array([[None]] * 24))
    np.save(root / "array.npy", np.zeros((24, 2)))
    (root / "empty.npz").write_bytes(b"")
    (root / "garbage.npz").write_bytes(b"PK\x03\x04 not a zip file")
    for name in ("pickled.npz", "array.npy", "empty.npz", "garbage.npz"):
        with pytest.raises(ValueError, match=rf"{name} cannot be read as an \.npz file of numbers"):
            cub.load(root, "test", features=root / name)
    write_features(root / "features/second.npz", np.zeros((24, 2)))
    with pytest.raises(ValueError, match=r"holds net\.npz, second\.npz: say which with features=PATH"):
        cub.load(root, "test")


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the real CUB-200-2011")
class TestRealData:
    """The official counts, and the sentences that the folder's README names."""

    def test_counts(self):
        train, test = cub.load(REAL, "trainval"), cub.load(REAL, "test")
        assert (len(train), len(test)) == (5994, 5794)
        for part in (train, test):
            assert len(part.class_names) == len(set(part.labels.tolist())) == 200
        explained = [part.explained() for part in (train, test)]
        assert sum(map(len, explained)) == 2346
        assert len({label for part in explained for label in part.labels.tolist()}) == 40
        assert {len(sentences) for part in explained for sentences in part.explanations} == {10}

    def test_no_test_image_is_in_train_or_validation(self):
        train, validation, test = (
            set(cub.load(REAL, split).ids) for split in ("train", "validation", "test")
        )
        assert train.isdisjoint(test)
        assert validation.isdisjoint(test)
        assert train.isdisjoint(validation)
        assert len(train | validation) == 5994

    def test_features_and_sentences_belong_to_the_image(self):
        validation = cub.load(REAL, "validation")
        order = [line.split()[1] for line in (REAL / "CUB_200_2011/images.txt").read_text().splitlines()]
        with np.load(next((REAL / "features").glob("*.npz")), allow_pickle=False) as archive:
            features = archive["features"]
        np.testing.assert_array_equal(validation.inputs[7], features[order.index(validation.ids[7])])
        example = validation.explained().subset([0])
        text = (REAL / "text_c10" / example.ids[0]).with_suffix(".txt").read_text()
        assert example.explanations[0] == [line.strip() for line in text.splitlines()]
        assert example.ids[0].startswith(f"{example.labels[0] + 1:03}.")
