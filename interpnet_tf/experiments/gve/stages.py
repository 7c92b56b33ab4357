"""Stages of a training of which each leaves a model behind, to be read the next time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras

from interpnet_tf.support.atomic import replacing
from interpnet_tf.support.keras_files import read_model


class Stages:
    """Trains models once: a finished one is read, an interrupted one goes on.

    Args:
        directory: holds `<name>.keras` of each finished stage and `checkpoints/<name>` of those that are not;
            `None` keeps nothing.
        callbacks: Keras callbacks of all stages, or a dict of those of each kind.
    """

    def __init__(
        self,
        directory: str | os.PathLike | None = None,
        callbacks: list[Any] | Mapping[str, list[Any]] | None = None,
    ) -> None:
        self.directory = None if directory is None else Path(directory)
        self.callbacks = callbacks or []

    def finish(self, name: str, kind: str, train: Callable[..., keras.Model]) -> keras.Model:
        """Returns the trained model of a stage.

        Args:
            name: of the stage.
            kind: whose callbacks it has.
            train: returns the trained model, given the arguments `directory` and `callbacks`.
        """
        callbacks = self.callbacks.get(kind) if isinstance(self.callbacks, Mapping) else self.callbacks
        if self.directory is None:
            return train(directory=None, callbacks=callbacks)
        finished, checkpoints = self.directory / f"{name}.keras", self.directory / "checkpoints" / name
        if not finished.exists():
            model = train(directory=checkpoints, callbacks=callbacks)
            with replacing(finished) as temporary:
                model.save(temporary)
        shutil.rmtree(checkpoints, ignore_errors=True)
        # Read even where it was just trained, so that an interruption between two stages changes nothing.
        return read_model(finished)
