"""Runs an exported `.tflite` file: class and explanation, with ai_edge_litert and numpy alone.

    pip install ai-edge-litert numpy pillow
    python interpnet_lite.py birds.tflite photo.jpg another.png
    python interpnet_lite.py birds.tflite features.npy

Everything it has to know (words, class names, what to do to an input) lies in the file, as a zip archive
behind the model. For pictures Pillow is needed, and `picture_file.py` beside this file.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter

PAD, START, END, UNKNOWN = range(4)


@dataclasses.dataclass(frozen=True)
class Explanation:
    """What the network says of one example; `words` and `log_probabilities` go together."""

    label: str
    class_id: int
    probability: float
    text: str
    words: tuple[str, ...]
    log_probabilities: tuple[float, ...]

    def __str__(self) -> str:
        return f"{self.label} ({100 * self.probability:.1f} %): {self.text}"


class Explainer:
    """A network that classifies and says why.

    Args:
        path: of the `.tflite` file.
        threads: how many threads to use.

    Example:

    ```python
    explainer = Explainer("birds.tflite")
    print(explainer.explain(explainer.read("photo.jpg")))
    ```
    """

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        with zipfile.ZipFile(path) as archive:
            self.words = archive.read("vocabulary.txt").decode("utf-8").splitlines()
            self.labels = archive.read("labels.txt").decode("utf-8").splitlines()
            self.preprocessing = json.loads(archive.read("preprocessing.json"))
        self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        self._explain = self._interpreter.get_signature_runner("explain")

    def read(self, path: str | Path) -> np.ndarray:
        """Reads a picture, or a `.npy` file of one example's numbers, into what `explain` takes."""
        shape = tuple(self.preprocessing["shape"])
        if self.preprocessing["kind"] == "picture":
            return read_picture(path, shape[0])
        numbers = np.load(path, allow_pickle=False).astype("float32")
        if numbers.shape not in (shape, (1, *shape)):
            raise ValueError(f"{path} holds numbers of shape {numbers.shape}, the model reads {shape}")
        return numbers.reshape(shape)

    def explain(self, x: np.ndarray) -> Explanation:
        """Classifies one example and says why.

        Args:
            x: features, or the pixels of a picture in 0..255, in the shape that the model reads.
        """
        x = np.asarray(x, "float32")
        if x.shape != tuple(self.preprocessing["shape"]):
            raise ValueError(f"x must have the shape {self.preprocessing['shape']}, got {list(x.shape)}")
        said = self._explain(x=x[None])
        class_id = int(said["class_id"][0])
        words = sentence(said["token_ids"][0], self.words)
        return Explanation(
            label=self.labels[class_id],
            class_id=class_id,
            probability=float(said["probability"][0]),
            text=detokenize(words),
            words=tuple(words),
            log_probabilities=tuple(said["log_probabilities"][0][: len(words)].tolist()),
        )


def sentence(ids: Iterable[int], vocabulary: list[str]) -> list[str]:
    """Returns the words of the ids before the first end or padding."""
    words = []
    for index in ids:
        if index in (END, PAD):
            break
        words.append(vocabulary[index])
    return words


def detokenize(words: list[str]) -> str:
    """Joins words and punctuation as people write them."""
    text = re.sub(r" ([,.;:!?%)\]}…])", r"\1", " ".join(words))
    return re.sub(r"([(\[{#]) | (/) ", lambda match: match[1] or match[2], text)


def read_picture(path: str | Path, size: int) -> np.ndarray:
    """Reads a picture: upright, short side scaled to `size`, centre cropped; float32 `(size, size, 3)`.

    `picture_file.py`, which lies beside this file, says which files are read, and how.
    """
    import picture_file

    try:
        return picture_file.square(Path(path).read_bytes(), size).astype("float32")
    except ValueError as error:
        raise ValueError(f"{path} cannot be read as a picture: {error}") from error


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print("usage: python interpnet_lite.py MODEL.tflite FILE…", file=sys.stderr)
        return 2
    explainer = Explainer(arguments[0])
    for path in arguments[1:]:
        print(f"{path}: {explainer.explain(explainer.read(path))}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
