"""Features of images: the views, the pooling, and an extraction that survives a kill."""

import json
import os

import keras
import numpy as np
import pytest
from PIL import Image

from interpnet_tf.backbones import features, loading, views
from interpnet_tf.backbones.row_file import RowFile
from interpnet_tf.data.images import open_image
from interpnet_tf.introspection.compact_bilinear import CompactBilinearPooling
from interpnet_tf.support.errors import UnreadableFileError


@pytest.fixture(scope="module")
def backbone():
    """Two convolutions of images of 8 pixels."""
    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="first")(image)
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="last")(x)
    return keras.Model(image, x, name="tiny")


@pytest.fixture
def folder(tmp_path):
    """Seven pictures in two folders, and a file that is none."""
    rng = np.random.default_rng(0)
    paths = [tmp_path / "images" / name for name in ("b/1.png", "b/0.jpg", *(f"a/{n}.png" for n in range(5)))]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (10, 12, 3), dtype="uint8")).save(path)
    (tmp_path / "images" / "notes.txt").write_text("no image")
    return tmp_path / "images"


def test_a_folder_is_listed_by_path(folder):
    ids, paths = views.find_images(folder)
    assert ids == [*(f"a/{n}.png" for n in range(5)), "b/0.jpg", "b/1.png"]
    assert paths[5] == folder / "b/0.jpg"


@pytest.mark.parametrize("inside", [False, True])
def test_cub_is_listed_by_its_images_txt(inside, tmp_path):
    cub = tmp_path / "CUB_200_2011"
    (cub / "images").mkdir(parents=True)
    (cub / "images.txt").write_text("1 b/2.jpg\n2 a/1.jpg\n")
    ids, paths = views.find_images(cub if inside else tmp_path)
    assert ids == ["b/2.jpg", "a/1.jpg"]
    assert paths == [cub / "images/b/2.jpg", cub / "images/a/1.jpg"]


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no image"):
        views.find_images(tmp_path)
    with pytest.raises(FileNotFoundError, match="not a folder"):
        views.find_images(tmp_path / "none")


def _ramp(width, height):
    """A picture whose red is the column, its green the row."""
    y, x = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return Image.fromarray(np.stack([x, y, 0 * x], axis=-1).astype("uint8"))


def test_views_are_where_they_should_be():
    centre, mirrored = views.fixed_views(_ramp(12, 8), size=8, flip=True)
    np.testing.assert_array_equal(centre[0, :, 0], range(2, 10))
    np.testing.assert_array_equal(centre[:, 0, 1], range(8))
    np.testing.assert_array_equal(mirrored, centre[:, ::-1])
    five = views.fixed_views(_ramp(12, 8), size=6, crop="five", resize=8)
    assert [tuple(view[0, 0, :2]) for view in five] == [(3, 1), (0, 0), (6, 0), (0, 2), (6, 2)]
    (whole,) = views.fixed_views(_ramp(200, 100), size=50, crop="whole")
    assert whole.shape == (50, 50, 3)
    assert whole[25, 0, 0] < 5
    assert whole[25, -1, 0] > 194


def test_wrong_views_are_named():
    with pytest.raises(ValueError, match="crop must be one of centre, whole, five, got 'left'"):
        views.fixed_views(_ramp(9, 9), 8, "left")
    with pytest.raises(ValueError, match="resize must be at least the image size, 8, got 7"):
        views.fixed_views(_ramp(9, 9), 8, resize=7)
    with pytest.raises(ValueError, match="crop 'whole' has none, got 9"):
        views.fixed_views(_ramp(9, 9), 8, "whole", resize=9)


def test_random_views_follow_from_their_generator_and_cover_the_image():
    image = _ramp(60, 40)
    first, again = (views.random_view(image, 16, np.random.default_rng(5)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    many = [views.random_view(image, 16, np.random.default_rng(n)) for n in range(60)]
    assert {view[0, 0, 0] < view[0, -1, 0] for view in many} == {True, False}
    areas = [float(np.ptp(view[..., 0].astype(int))) * np.ptp(view[..., 1].astype(int)) for view in many]
    assert min(areas) > 0.3 * 60 * 40
    assert max(areas) > 0.7 * 60 * 40


def test_the_poolings_are_those_of_the_maps(backbone):
    images = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    model = features.feature_model(backbone, ["average", "average:first", "compact_bilinear"], 32)
    first, last = keras.Model(backbone.input, [backbone.get_layer("first").output, backbone.output])(images)
    pooled = CompactBilinearPooling(32)(last)
    expected = np.concatenate([np.mean(last, (1, 2)), np.mean(first, (1, 2)), pooled], axis=1)
    np.testing.assert_allclose(model(images), expected, rtol=1e-5, atol=1e-5)


def test_the_root_of_the_average_has_length_one():
    image = keras.Input((1, 2, 2))
    backbone = keras.Model(image, keras.layers.Rescaling(1.0, name="same")(image))
    model = features.feature_model(backbone, ["root_average", "average:same"])
    # Averages 9 and -16, roots 3 and -4, length 5.
    expected = [[0.6, -0.8, 9, -16]]
    np.testing.assert_allclose(model(np.array([[[[6, -12], [12, -20]]]], "float32")), expected, rtol=1e-5)


def test_wrong_poolings_are_named(backbone):
    with pytest.raises(ValueError, match="got 'max'"):
        features.feature_model(backbone, ["max"])
    with pytest.raises(ValueError, match="tiny has no layer 'middle'; its layers: image, first, last"):
        features.feature_model(backbone, ["average:middle"])


def test_features_of_views_are_averaged_and_written_in_float16(backbone, folder, tmp_path):
    model = features.feature_model(backbone)
    ids, paths = views.find_images(folder)
    out = tmp_path / "features.npz"
    result = features.extract(model, paths, out, ids, flip=True, batch_size=3)
    pixels = views.fixed_views(open_image(paths[4]), 8, flip=True)
    np.testing.assert_allclose(
        result[4], model(pixels.astype("float32")).numpy().mean(axis=0), rtol=2e-3, atol=1e-3
    )
    with np.load(out) as archive:
        assert archive["features"].dtype == "float16"
        assert archive["features"].shape == (7, 6)
        assert archive["ids"].tolist() == ids
    assert sorted(path.name for path in tmp_path.iterdir()) == ["features.npz", "images"]


def test_features_of_other_files_are_joined_by_ids(backbone, folder, tmp_path):
    model = features.feature_model(backbone)
    ids, paths = views.find_images(folder)
    plain = features.extract(model, paths, tmp_path / "plain.npz", ids)
    np.savez(tmp_path / "other.npz", features=np.arange(7)[::-1, None], ids=ids[::-1])
    both = features.extract(model, paths, tmp_path / "both.npz", ids, join=[tmp_path / "other.npz"])
    np.testing.assert_array_equal(both[:, 0], range(7))
    np.testing.assert_array_equal(both[:, 1:], plain)
    assert both.dtype == "float16"
    np.savez(tmp_path / "other.npz", features=np.ones((1, 1)), ids=ids[:1])
    with pytest.raises(ValueError, match=r"has no features of 'a/1\.png'"):
        features.extract(model, paths, tmp_path / "both.npz", ids, join=[tmp_path / "other.npz"])


class _KilledError(Exception):
    pass


def test_an_interrupted_extraction_goes_on_and_gives_the_same(backbone, folder, tmp_path):
    model = features.feature_model(backbone)
    _, paths = views.find_images(folder)
    whole = features.extract(model, paths, tmp_path / "whole.npz", batch_size=2)

    def kill(done, total):
        if done == 4:
            raise _KilledError

    out = tmp_path / "features.npz"
    with pytest.raises(_KilledError):
        features.extract(model, paths, out, batch_size=2, progress=kill)
    assert not out.exists()
    told = []
    again = features.extract(model, paths, out, batch_size=2, progress=lambda *counts: told.append(counts))
    assert told == [(6, 7), (7, 7)]
    np.testing.assert_array_equal(again, whole)


def test_it_does_not_go_on_with_other_settings(backbone, folder, tmp_path):
    model = features.feature_model(backbone)
    _, paths = views.find_images(folder)

    def kill(done, total):
        raise _KilledError

    with pytest.raises(_KilledError):
        features.extract(model, paths, tmp_path / "f.npz", progress=kill, batch_size=2)
    with pytest.raises(ValueError, match="was begun with another flip"):
        features.extract(model, paths, tmp_path / "f.npz", flip=True)
    with pytest.raises(ValueError, match="was begun with another images"):
        features.extract(model, paths[::-1], tmp_path / "f.npz")


def test_a_broken_image_is_named(backbone, folder, tmp_path):
    (folder / "a/3.png").write_bytes(b"no picture")
    _, paths = views.find_images(folder)
    with pytest.raises(ValueError, match=r"a/3\.png cannot be read"):
        features.extract(features.feature_model(backbone), paths, tmp_path / "f.npz", batch_size=2)


def test_out_must_be_an_npz_file(backbone, folder):
    with pytest.raises(ValueError, match=r"must end in \.npz, got 'f\.csv'"):
        features.extract(features.feature_model(backbone), [], "f.csv")


def test_rows_count_only_when_noted(tmp_path):
    file = RowFile(tmp_path / "rows", (4, 2), "float16", {"a": 1})
    file.append(np.ones((2, 2)))
    with (tmp_path / "rows/rows.npy").open("r+b") as content:  # written, but killed before the note
        content.seek(-8, os.SEEK_END)
        content.write(np.full(2, 9, "float16").tobytes())
    again = RowFile(tmp_path / "rows", (4, 2), "float16", {"a": 1})
    assert again.done == 2
    again.append(np.full((2, 2), 3))
    np.testing.assert_array_equal(again.rows, [[1, 1], [1, 1], [3, 3], [3, 3]])
    assert json.loads((tmp_path / "rows/state.json").read_text())["done"] == 4


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("state.json", b"{", r"state\.json cannot be read as the note of an array"),
        ("state.json", b'{"shape": [4, 2], "dtype": "float16", "a": 1}', "first None rows"),
        ("state.json", b'{"shape": [4, 2], "dtype": "float16", "a": 1, "done": 9}', "first 9 rows"),
        ("rows.npy", b"\x93NUMPY", r"rows\.npy cannot be read as an array whose first 2 rows are written"),
    ],
)
def test_damaged_rows_are_told_from_those_of_other_settings(tmp_path, name, content, message):
    RowFile(tmp_path / "rows", (4, 2), "float16", {"a": 1}).append(np.ones((2, 2)))
    (tmp_path / "rows" / name).write_bytes(content)
    with pytest.raises(UnreadableFileError, match=message + r".*remove .*rows to begin anew"):
        RowFile(tmp_path / "rows", (4, 2), "float16", {"a": 1})


def test_a_saved_model_is_a_backbone_for_any_size(backbone, tmp_path):
    backbone.save(tmp_path / "tiny.keras")
    loaded = loading.load_backbone(tmp_path / "tiny.keras", image_size=16)
    assert loaded.output.shape == (None, 4, 4, 6)
    assert loading.load_backbone(tmp_path / "tiny.keras").output.shape == (None, 2, 2, 6)
    classifier = keras.Model(backbone.input, keras.layers.GlobalAveragePooling2D()(backbone.output))
    classifier.save(tmp_path / "classifier.keras")
    assert loading.load_backbone(tmp_path / "classifier.keras").output.shape == (None, 2, 2, 6)
    with pytest.raises(FileNotFoundError, match=r"there is no model file 'none\.keras'"):
        loading.load_backbone("none.keras")


def test_a_model_of_keras_applications_is_preprocessed():
    model = loading.load_backbone("MobileNetV2", weights=None, image_size=32)
    images = np.random.default_rng(0).uniform(0, 255, (1, 32, 32, 3)).astype("float32")
    plain = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(32, 32, 3))
    plain.set_weights(model.get_weights())
    expected = plain(keras.applications.mobilenet_v2.preprocess_input(images.copy()))
    np.testing.assert_allclose(model(images), expected, rtol=1e-4, atol=1e-5)


def test_a_preset_of_keras_hub_is_preprocessed(tmp_path):
    import keras_nlp

    keras.utils.set_random_seed(0)
    plain = keras_nlp.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64],
        stackwise_num_blocks=[1],
        stackwise_num_strides=[2],
        block_type="bottleneck_block",
        use_pre_activation=False,
        image_shape=(None, None, 3),
    )
    plain.save_to_preset(tmp_path / "preset")
    keras_nlp.layers.ResNetImageConverter(scale=1 / 64, offset=[-1.0, 0.0, 1.0]).save_to_preset(
        tmp_path / "preset"
    )
    model = loading.load_backbone(tmp_path / "preset", image_size=16)
    images = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype("float32")
    expected = plain(images / 64 + np.array([-1, 0, 1], "float32"))
    np.testing.assert_allclose(model(images), expected, rtol=1e-4, atol=1e-5)
    assert features.feature_model(model).output.shape == (None, 256)


def test_an_unknown_backbone_lists_the_known(tmp_path):
    with pytest.raises(ValueError, match=r"efficientnet-lite0, .*-lite2, a model of"):
        loading.load_backbone(str(tmp_path / "nothing"))
