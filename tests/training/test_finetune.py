"""Fine-tuning: learns, leaves the frozen layers alone, goes on after a kill as if nothing had happened."""

import keras
import numpy as np
import pytest
from PIL import Image

from interpnet_tf.cli import main
from interpnet_tf.data import cub
from interpnet_tf.training import finetune

CONFIG = finetune.FinetuneConfig(
    "frozen_relu", views=2, view_size=12, epochs=4, batch_size=8, learning_rate=0.1, dropout=0.0
)


def _backbone():
    keras.utils.set_random_seed(0)
    image = keras.Input((16, 16, 3), name="image")
    x = keras.layers.Rescaling(1 / 128, -1, name="rescaling")(image)
    x = keras.layers.Conv2D(6, 3, strides=2, padding="same", name="frozen")(x)
    x = keras.layers.BatchNormalization(name="frozen_norm")(x)
    x = keras.layers.ReLU(name="frozen_relu")(x)
    x = keras.layers.Conv2D(8, 3, padding="same", name="trained")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    return keras.Model(image, keras.layers.ReLU(name="relu")(x), name="tiny")


@pytest.fixture
def cub_folder(tmp_path):
    """Two species, red and blue, ten training and two test images each, as CUB lays them out."""
    root = tmp_path / "data"
    folder = root / "CUB_200_2011"
    rng = np.random.default_rng(0)
    lines = {"images": [], "image_class_labels": [], "train_test_split": []}
    for number in range(24):
        label = number % 2
        name = f"{label + 1:03}.Bird_{label}/{number}.png"
        pixels = rng.integers(0, 120, (18, 20, 3), dtype="uint8")
        pixels[..., 2 * label] += 130
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / "images" / name)
        lines["images"].append(f"{number + 1} {name}")
        lines["image_class_labels"].append(f"{number + 1} {label + 1}")
        lines["train_test_split"].append(f"{number + 1} {int(number < 20)}")
    for name, entries in lines.items():
        (folder / f"{name}.txt").write_text("\n".join(entries) + "\n")
    (folder / "classes.txt").write_text("1 001.Bird_0\n2 002.Bird_1\n")
    (root / "text_c10" / "001.Bird_0").mkdir(parents=True)
    (root / "text_c10" / "001.Bird_0" / "0.txt").write_text("a red bird.\n")
    return root


@pytest.fixture
def images(cub_folder):
    return [cub.image_paths(cub_folder, split) for split in ("train", "validation")]


class _Logs(keras.callbacks.Callback):
    def __init__(self, kill_after=None):
        super().__init__()
        self.logs, self.kill_after = [], kill_after

    def on_epoch_end(self, epoch, logs=None):
        self.logs.append(logs["val_accuracy"])
        if epoch == self.kill_after:
            raise KeyboardInterrupt


def test_it_learns_behind_the_layer_and_nothing_before_it(images, tmp_path):
    before = _backbone()
    logs = _Logs()
    tuned = finetune.finetune(_backbone(), *images, tmp_path / "tuning", CONFIG, callbacks=[logs])
    assert logs.logs[-1] == 1.0
    for name, changes in (("frozen", False), ("trained", True)):
        pair = [model.get_layer(name).get_weights()[0] for model in (before, tuned)]
        assert np.array_equal(*pair) is not changes
    statistics = [model.get_layer("frozen_norm").get_weights() for model in (before, tuned)]
    assert all(map(np.array_equal, *statistics))
    assert tuned.output.shape == (None, 8, 8, 8)
    saved = keras.saving.load_model(tmp_path / "tuning" / "backbone.keras")
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 16, 16, 3)).astype("float32")
    np.testing.assert_allclose(saved(pixels), tuned(pixels), rtol=1e-5, atol=1e-5)


def test_an_interrupted_training_gives_the_same_weights(images, tmp_path):
    whole = finetune.finetune(_backbone(), *images, tmp_path / "whole", CONFIG)
    with pytest.raises(KeyboardInterrupt):
        finetune.finetune(_backbone(), *images, tmp_path / "cut", CONFIG, callbacks=[_Logs(kill_after=1)])
    logs = _Logs()
    again = finetune.finetune(_backbone(), *images, tmp_path / "cut", CONFIG, callbacks=[logs])
    assert len(logs.logs) == 2 or len(logs.logs) == 3  # the epoch of the kill may have been kept
    for one, other in zip(whole.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_finished_maps_are_not_computed_again(images, tmp_path):
    finetune.finetune(_backbone(), *images, tmp_path, CONFIG)
    told = []
    finetune.finetune(
        _backbone(), *images, tmp_path, CONFIG, progress=lambda title: lambda *counts: told.append(title)
    )
    assert told == []


def test_another_training_is_not_mixed_in(images, tmp_path):
    finetune.finetune(_backbone(), *images, tmp_path, CONFIG)
    other = finetune.FinetuneConfig(**{**vars(CONFIG), "epochs": 5})
    with pytest.raises(ValueError, match="was begun with another epochs"):
        finetune.finetune(_backbone(), *images, tmp_path, other)


def test_an_epoch_sees_one_view_of_each_image():
    maps = np.arange(5 * 3, dtype="float16").reshape(5, 3, 1, 1, 1)
    batches = finetune._ViewBatches(maps, np.array([0, 1, 0, 1, 0]), 2, batch_size=2, seed=0)
    seen = [[int(value) for x, _ in batches for value in x.ravel()] for batches.epoch in range(20)]
    assert all(sorted(value // 3 for value in epoch) == [0, 1, 2, 3, 4] for epoch in seen)
    assert {value for epoch in seen for value in epoch} == set(range(15))
    targets = np.concatenate([y for _, y in batches])
    assert targets.sum(axis=0).tolist() == [3, 2]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [({"views": 0}, "views must be at least 1, got 0"), ({"dropout": 1.0}, "dropout must be at least 0")],
)
def test_wrong_options_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        finetune.FinetuneConfig("frozen_relu", **wrong)


def test_a_wrong_layer_is_named(images, tmp_path):
    config = finetune.FinetuneConfig("nothing")
    with pytest.raises(ValueError, match=r"layer must be one of rescaling, frozen, .*, got 'nothing'"):
        finetune.finetune(_backbone(), *images, tmp_path, config)


def test_the_command_tunes_and_writes_features_that_cub_reads(cub_folder, tmp_path, capsys):
    _backbone().save(tmp_path / "tiny.keras")
    out = tmp_path / "features.npz"
    arguments = ["features", "--backbone", str(tmp_path / "tiny.keras"), "--images", str(cub_folder)]
    arguments += ["--out", str(out), "--crop", "whole", "--flip", "--finetune", str(tmp_path / "tuning")]
    arguments += ["--pooling", "average", "compact_bilinear:relu", "--bilinear-dim", "32"]
    assert main([*arguments, "--epochs", "1"]) == 2
    assert "--finetune-layer" in capsys.readouterr().err
    assert main([*arguments, "--epochs", "1", "--finetune-layer", "frozen_relu"]) == 0
    captured = capsys.readouterr()
    assert "40 features of 24 images" in captured.out
    assert "features: 24/24 images" in captured.err
    assert "fine-tuning: epoch 1/1" in captured.err
    train = cub.load(cub_folder, "train", out)
    assert train.inputs.shape == (18, 40)
    with np.load(out) as archive:
        assert archive["ids"][0] == "001.Bird_0/0.png"
