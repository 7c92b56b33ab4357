"""LiteRT files: which ops they need, what is packed into them, and what they answer."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interpnet_tf.support.quiet import silenced_stderr

LEAST_RUNTIME = "min_runtime_version"  # the name that LiteRT's converter gives it


def ops(content: bytes) -> set[str]:
    """Returns the names of a LiteRT model's ops; those that are not built in start with "custom:".

    Args:
        content: the model's flatbuffer.
    """
    schema = litert_schema()
    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    model = schema.Model.GetRootAs(content, 0)
    found = set()
    for index in range(model.OperatorCodesLength()):
        entry = model.OperatorCodes(index)
        # Models written before there were more than 127 ops have the code in the deprecated field alone.
        code = max(entry.BuiltinCode(), entry.DeprecatedBuiltinCode())
        custom = code == schema.BuiltinOperator.CUSTOM
        found.add(f"custom:{entry.CustomCode().decode()}" if custom else names[code])
    return found


def least_runtime(content: bytes) -> str:
    """Returns the version of the first LiteRT or TensorFlow Lite runtime that has a model's ops.

    Args:
        content: the model's flatbuffer.
    """
    model = litert_schema().Model.GetRootAs(content, 0)
    for index in range(model.MetadataLength()):
        entry = model.Metadata(index)
        if entry.Name().decode() == LEAST_RUNTIME:
            return model.Buffers(entry.Buffer()).DataAsNumpy().tobytes().rstrip(b"\0").decode()
    raise ValueError("the model does not say which runtime it needs; convert it anew")


def check_ops(content: bytes) -> None:
    """Raises a `ValueError` if a model needs anything but LiteRT's built-in ops."""
    if custom := sorted(name for name in ops(content) if name.startswith("custom:")):
        raise ValueError(
            f"the model needs {custom}, which plain LiteRT lacks (Flex ops are TensorFlow's); "
            "take them out of the classifier or decoder"
        )


def check_runs(content: bytes, shapes: Mapping[str, Sequence[int]]) -> None:
    """Raises a `ValueError` if LiteRT does not run a model, which it tells of no earlier than it runs.

    Args:
        content: the model's flatbuffer, with a signature `explain`.
        shapes: of one example of each input, by name.
    """
    try:
        LiteRTModel(content)("explain", {name: np.zeros((1, *shape)) for name, shape in shapes.items()})
    except (RuntimeError, ValueError) as error:
        raise ValueError(
            f"LiteRT converts the model but does not run it ({error}); write the part that this names with "
            "other layers, or export a SavedModel (format='savedmodel')"
        ) from error


def pack(content: bytes, files: Mapping[str, str]) -> bytes:
    """Appends files to a model as a zip archive, the convention of TensorFlow Lite Metadata.

    An interpreter reads the model in front, `unzip` and `zipfile` the archive behind it.

    Args:
        content: the model's flatbuffer.
        files: text by file name.
    """
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            # The time is fixed, so that the same model gives the same file.
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode("utf-8"))
    return buffer.getvalue()


class LiteRTModel:
    """A LiteRT file ready to run.

    Args:
        model: the path of the file, or its content.
        threads: how many threads to use.

    Call arguments:
        signature: `"explain"`, `"classify"` or `"introspect"`.
        x: what the classifier reads, `(examples, ...)`; of several inputs a dict of these by name.

    Returns:
        The signature's outputs for all examples, arrays by name.

    Example:

    ```python
    LiteRTModel("birds.tflite")("explain", images)["token_ids"]
    ```
    """

    def __init__(self, model: str | os.PathLike | bytes, threads: int = 1) -> None:
        interpreter = _litert("interpreter").Interpreter
        source = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(Path(model))}
        with silenced_stderr():  # LiteRT tells there which kernels it takes
            self._interpreter = interpreter(**source, num_threads=threads)
            self._interpreter.allocate_tensors()

    def __call__(self, signature: str, x: Any) -> dict[str, np.ndarray]:
        run = self._interpreter.get_signature_runner(signature)
        named = x if isinstance(x, Mapping) else {"x": x}
        inputs = {name: np.asarray(part, "float32")[:, None] for name, part in named.items()}
        rows = zip(*inputs.values(), strict=True)
        answers = [run(**dict(zip(inputs, row, strict=True))) for row in rows]
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}


def litert_schema() -> Any:
    """Returns the module that reads and writes flatbuffers of models."""
    return _litert("schema_py_generated")


def _litert(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(f"ai_edge_litert.{module}")
    except ImportError as error:
        raise ImportError("LiteRT is not installed; pip install ai-edge-litert") from error
