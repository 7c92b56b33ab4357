"""`ExplanationMonitor`: what a model says of fixed examples while it is trained."""

from __future__ import annotations

import html
import os
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from interpnet_tf.data.inputs import inputs_of
from interpnet_tf.model import InterpNet
from interpnet_tf.support import terminal
from interpnet_tf.support.checks import check_whole


class ExplanationMonitor(keras.callbacks.Callback):
    """Prints, during `InterpNet.fit`, what the model says of the same few examples after an epoch.

    Losses tell that a training goes on; the sentences tell what is being learnt, and whether every example
    gets the same one.

    Args:
        x: a few examples of what the classifier reads, or an `ExplanationDataset` of them.
        log_dir: a folder for TensorBoard, which shows the sentences under *Text* and the examples, where they
            are pictures, under *Images*; `None` for none. TensorBoard itself need not be installed here.
        frequency: how many epochs lie between two looks.
        **decoding: how the words are chosen, as in `InterpNet.explain`.

    Raises:
        ValueError: if `frequency` is no whole number from 1, or the model that is trained is no `InterpNet`.

    Example:

    ```python
    monitor = itf.analysis.ExplanationMonitor(valid.inputs[:4], log_dir="logs", frequency=2)
    model.fit(train, validation_data=valid, epochs=10, callbacks=[monitor])
    ```
    """

    def __init__(
        self, x: Any, log_dir: str | os.PathLike | None = None, frequency: int = 1, **decoding: Any
    ) -> None:
        super().__init__()
        check_whole("frequency", frequency, least=1)
        self.x, self.log_dir, self.frequency, self.decoding = inputs_of(x), log_dir, frequency, decoding
        self._writer: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not isinstance(self.model, InterpNet):
            raise ValueError(
                f"ExplanationMonitor looks at an InterpNet, got a {type(self.model).__name__}; give it to "
                "InterpNet.fit, not to that of the classifier"
            )
        if self.log_dir is not None:
            self._writer = tf.summary.create_file_writer(os.fspath(self.log_dir))
            if _are_pictures(self.x):
                self._write("examples", "images", [*_as_png(self.x)], 0)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if (epoch + 1) % self.frequency:
            return
        lines = [str(explanation) for explanation in self.model.explain(self.x, **self.decoding)]
        if self.params.get("verbose") == 1:
            print()  # Keras' progress bar stands in the line
        terminal.show("\n".join([f"after epoch {epoch + 1}:", *(f"  {line}" for line in lines)]))
        if self._writer is not None:
            self._write("explanations", "text", [f"- {html.escape(line)}" for line in lines], epoch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _write(self, tag: str, plugin: str, values: list[Any], step: int) -> None:
        """Writes a summary as `tf.summary.text` and `image` do, which need TensorBoard to be installed."""
        metadata = tf.compat.v1.SummaryMetadata()
        metadata.plugin_data.plugin_name = plugin
        value = "\n".join(values) if plugin == "text" else values
        with self._writer.as_default():
            tf.summary.write(tag, tf.constant(value), step=step, metadata=metadata)
            self._writer.flush()


def _are_pictures(x: Any) -> bool:
    shape = getattr(x, "shape", ())
    return len(shape) == 4 and shape[-1] in (1, 3)


def _as_png(x: Any) -> list[Any]:
    """Returns width, height and the PNG files, as TensorBoard's images are written."""
    pixels = np.asarray(x)
    if pixels.dtype != np.uint8:
        scale = 255 if pixels.max(initial=0) <= 1 else 1
        pixels = np.clip(pixels * scale, 0, 255).astype("uint8")
    height, width = pixels.shape[1:3]
    return [str(width), str(height), *(tf.io.encode_png(picture).numpy() for picture in pixels)]
