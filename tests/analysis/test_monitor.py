"""A monitor shows what is said of its examples, epoch by epoch."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.analysis import ExplanationMonitor


def summaries(folder):
    """Returns tag, plugin, step and values of what was written for TensorBoard."""
    (path,) = folder.iterdir()
    found = []
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            values = tf.make_ndarray(value.tensor).ravel().tolist()
            found.append((value.tag, value.metadata.plugin_data.plugin_name, event.step, values))
    return found


def test_shows_every_second_epoch(make_model, birds, tmp_path, capsys):
    model = make_model()
    model.compile("adam")
    monitor = ExplanationMonitor(birds.subset([0, 1]), tmp_path, frequency=2, max_length=4)
    model.fit(birds, epochs=4, verbose=0, callbacks=[monitor])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["after epoch 2:", "after epoch 4:"]
    assert len(lines) == 6
    said = [f"  {explanation}" for explanation in model.explain(birds.inputs[:2], max_length=4)]
    assert lines[4:] == said
    last = "\n".join(f"- {line.strip()}" for line in said).encode()
    assert [(*parts[:3], parts[3][0] == last) for parts in summaries(tmp_path)][-1] == (
        "explanations",
        "text",
        4,
        True,
    )


def test_pictures_are_shown_once(make_model, tmp_path):
    """A white picture and a black one: TensorBoard gets width, height and the files."""
    inputs = keras.Input((4, 6, 3))
    pooled = keras.layers.GlobalAveragePooling2D(name="pooled")(inputs)
    model = make_model(keras.Model(inputs, keras.layers.Dense(3, "softmax")(pooled)))
    pictures = np.stack([np.ones((4, 6, 3), "float32"), np.zeros((4, 6, 3), "float32")])
    monitor = ExplanationMonitor(pictures, tmp_path)
    monitor.set_params({"verbose": 1})
    monitor.set_model(model)
    monitor.on_train_begin()
    monitor.on_epoch_end(0)
    monitor.on_train_end()
    (tag, plugin, step, (width, height, white, black)), text = summaries(tmp_path)
    assert (tag, plugin, step, width, height) == ("examples", "images", 0, b"6", b"4")
    assert [tf.io.decode_png(file).numpy().mean() for file in (white, black)] == [255, 0]
    assert text[:3] == ("explanations", "text", 1)


def test_refuses_what_it_cannot_look_at(birds):
    with pytest.raises(ValueError, match="frequency"):
        ExplanationMonitor(birds, frequency=0)
    monitor = ExplanationMonitor(birds)
    monitor.set_model(keras.Sequential([keras.layers.Dense(1)]))
    with pytest.raises(ValueError, match="got a Sequential"):
        monitor.on_train_begin()
