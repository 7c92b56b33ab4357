"""What a signature reads and gives: names, types and shapes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from interpnet_tf.serving.errors import invalid


@dataclasses.dataclass(frozen=True)
class TensorSpec:
    """An input or output of a signature.

    Attributes:
        name: under which requests name it.
        tensor: its name in the graph.
        dtype: its TensorFlow type, or anything else with the name of one.
        shape: its dimensions, None where any size goes; None altogether if even the rank is open.
    """

    name: str
    tensor: str
    dtype: Any
    shape: tuple[int | None, ...] | None

    @classmethod
    def from_info(cls, name: str, info: Any) -> TensorSpec:
        """Reads one from the `TensorInfo` of a signature."""
        import tensorflow as tf  # takes seconds; the process that reads JSON needs none of it

        shape = tf.TensorShape(info.tensor_shape)
        return cls(name, info.name, tf.as_dtype(info.dtype), None if shape.rank is None else tuple(shape))

    @property
    def has_open_batch(self) -> bool:
        """Whether the first dimension takes any size."""
        return bool(self.shape) and self.shape[0] is None

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Refuses a tensor of another shape."""
        wanted = self.shape
        if wanted is None:
            return
        if len(shape) != len(wanted) or any(
            want is not None and have != want for have, want in zip(shape, wanted, strict=True)
        ):
            open_name = ["batch" if index == 0 else "any" for index in range(len(wanted))]
            text = ", ".join(
                name if size is None else str(size) for name, size in zip(open_name, wanted, strict=True)
            )
            raise invalid(
                f'input "{self.name}" has shape {list(shape)}, but the model reads [{text}]; '
                "GET …/metadata shows the inputs of every signature"
            )


class Inputs(Protocol):
    """What a signature reads."""

    name: str
    inputs: Mapping[str, TensorSpec]

    def check_names(self, names: set[str]) -> None:
        """Refuses a request that lacks an input or has one too many."""


def check_names(names: set[str], signature_name: str, inputs: Iterable[str]) -> None:
    """Refuses a request that lacks an input of a signature, or has one too many."""
    wanted = set(inputs)
    if names != wanted:
        missing, extra = sorted(wanted - names), sorted(names - wanted)
        raise invalid(
            f'signature "{signature_name}" reads the inputs {sorted(wanted)}; '
            f"missing: {missing}, unknown: {extra}"
        )
