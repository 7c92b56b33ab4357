"""Adam in one pass over memory, and optimizers ready before the first step."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


def build_optimizer(model: keras.Model) -> None:
    """Makes the variables of a compiled model's optimizer, before its first step does.

    A step that makes variables while it is traced is traced once more: the first batch waits twice as long.

    Args:
        model: built and compiled.
    """
    if not model.optimizer.built:
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)


@keras.saving.register_keras_serializable(package="interpnet_tf")
class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` whose dense update is a single TensorFlow kernel.

    Keras builds the update from a dozen elementwise ops, each of which reads and writes whole tensors; on a
    CPU they are bound by memory. The kernel computes the same formula (Kingma & Ba 2015, section 2, last
    paragraph) in one pass. With `amsgrad` the update is Keras' own.

    The gradients of a word that occurs more than once in a batch are added before they are squared, as the
    formula has it; Keras' Adam squares the sparse gradient of an embedding word by word.

    Args:
        **kwargs: those of `keras.optimizers.Adam`.

    Example:

    >>> FusedAdam(learning_rate=5e-4).name
    'fused_adam'
    """

    def __init__(self, learning_rate: Any = 1e-3, name: str = "fused_adam", **kwargs) -> None:
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)

    def update_step(self, gradient: Any, variable: tf.Variable, learning_rate: Any) -> None:
        if self.amsgrad:
            super().update_step(gradient, variable, learning_rate)
            return
        index = self._get_variable_index(variable)
        step = tf.cast(self.iterations + 1, variable.dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,  # Keras hands over the tf.Variable behind its own
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=tf.pow(tf.cast(self.beta_1, variable.dtype), step),
            beta2_power=tf.pow(tf.cast(self.beta_2, variable.dtype), step),
            lr=tf.cast(learning_rate, variable.dtype),
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=tf.cast(tf.convert_to_tensor(gradient), variable.dtype),
        )
