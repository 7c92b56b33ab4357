"""Writes a SavedModel that TensorFlow Serving loads as it is."""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from interpnet_tf.export.input_kind import check_samples, input_kind
from interpnet_tf.export.model_card import FILE_NAME, describe_signatures, model_card
from interpnet_tf.export.signatures import concrete_functions
from interpnet_tf.export.warmup import example_requests, write_warmup
from interpnet_tf.generation.explaining_model import ExplainingModel
from interpnet_tf.introspection.classifier_parts import lookup_tables
from interpnet_tf.introspection.number_column import may_be_missing
from interpnet_tf.language.tokenizer import SPECIAL_TOKENS
from interpnet_tf.support.errors import writing
from interpnet_tf.support.quiet import silenced_loggers

# Ops of TensorFlow itself that nevertheless need Python, or state that no variable holds.
_NOT_SERVABLE = ("PyFunc", "EagerPyFunc", "Iterator", "Xla")
# The ending of the name under which a model waits while another takes its place.
_REPLACED = ".replaced"


def export_saved_model(
    model: ExplainingModel,
    path: str | os.PathLike,
    *,
    overwrite: bool = False,
    name: str | None = None,
    max_batch_size: int = 64,
    beams: int = 5,
    n_best: int = 5,
    samples: Any = None,
    input: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> Path:
    """Writes a model as a version folder for TensorFlow Serving, whole or not at all.

    The folder holds the SavedModel with the signatures of `signatures.concrete_functions`; class names and
    vocabulary are constants of the graph, and lie beside it in `model_card.json` and
    `assets.extra/vocabulary.txt`. `assets.extra/tf_serving_warmup_requests` warms up every signature.

    Args:
        model: the `InterpNet`.
        path: the folder to write, such as `"export/birds/1"`. Servers take the versions of a model from
            folders whose names are numbers.
        overwrite: whether an existing `path` is replaced; a server that watches it does not notice, so that
            a new version number is better.
        name: of the model, in the card and the warm-up requests; by default that of the folder around a
            version number.
        max_batch_size: the most examples a request has, in the warm-up requests; see
            `batching_parameters.txt` of the deployment kit.
        beams: of the signature `explain_top`.
        n_best: explanations that `explain_top` gives.
        samples: examples for the warm-up requests, `(examples, ...)`, or a dict of them by input; by default
            noise.
        input: `"picture"` for `x` of uint8 and picture files, `"array"` for `x` just as the classifier reads
            it; by default the classifier decides (see `input_kind.input_kind`).
        details: further entries of the model card.

    Returns:
        The path.

    Raises:
        FileExistsError: if `path` exists and `overwrite` is not set.
        ValueError: if an argument is out of its range, or the graph needs more than TensorFlow's core ops.

    Example:

    ```python
    export_saved_model(model, "export/birds/1")
    ```
    """
    path = Path(path)
    _repair(path)
    _check_free(path, overwrite)
    if max_batch_size < 1:
        raise ValueError(f"max_batch_size must be at least 1, got {max_batch_size}")
    name = name or (path.absolute().parent.name if path.name.isdecimal() else path.name)
    kind = input_kind(model.classifier, input)
    check_samples(samples, kind)
    # The decoder's weights as sentences are said fastest, and with core ops only.
    folded = {name: tf.Variable(weight, trainable=False) for name, weight in model.decoder.fold().items()}
    functions = concrete_functions(model, folded, beams, n_best, kind)
    with _appearing_whole(path, overwrite) as folder, writing(path):
        with silenced_loggers():
            tf.saved_model.save(_module(model, functions), str(folder), signatures=functions)
        ops = operations(folder)
        check_servable(ops)
        (folder / "assets.extra").mkdir()
        words = "".join(f"{word}\n" for word in [*SPECIAL_TOKENS, *model.tokenizer.vocabulary])
        (folder / "assets.extra" / "vocabulary.txt").write_text(words, "utf-8")
        batch_sizes = tuple(sorted({1, max_batch_size}))
        requests = example_requests(functions, max_batch_size, samples)
        records = write_warmup(folder, requests, name, batch_sizes)
        card = model_card(model, name, details)
        card |= {
            "format": "savedmodel",
            "input": kind,
            "signatures": describe_signatures(functions),
            "explain_top": {"beams": beams, "n_best": n_best},
            "warmup": {"records": records, "batch_sizes": batch_sizes},
            "operations": sorted(ops),
        }
        may_be_nan = zip(model.classifier.inputs, may_be_missing(model.classifier), strict=True)
        if names := [tensor.name for tensor, may_be in may_be_nan if may_be]:
            card["may_be_missing"] = names  # sent as NaN
        (folder / FILE_NAME).write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def operations(folder: str | os.PathLike) -> set[str]:
    """Returns the names of all ops of a SavedModel, those of its functions included."""
    saved = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
    found = set()
    for graph in (meta_graph.graph_def for meta_graph in saved.meta_graphs):
        functions = {function.signature.name for function in graph.library.function}
        found |= {node.op for node in graph.node} - functions
        for function in graph.library.function:
            found |= {node.op for node in function.node_def} - functions
    return found


def check_servable(ops: Iterable[str]) -> None:
    """Raises a `ValueError` if a server of TensorFlow's core ops could not run all of `ops`."""
    core = set(dir(tf.raw_ops))
    if foreign := sorted(op for op in ops if op not in core or any(part in op for part in _NOT_SERVABLE)):
        raise ValueError(
            f"the graph needs ops that TensorFlow Serving lacks: {', '.join(foreign)}; find the layer of the "
            "classifier or decoder that makes them, and write it with TensorFlow's core ops"
        )


def _module(
    model: ExplainingModel, functions: Mapping[str, tf.types.experimental.ConcreteFunction]
) -> tf.Module:
    """Returns a module that tracks exactly the variables and lookup tables which the functions read."""
    captured = {id(tensor): tensor for function in functions.values() for tensor in function.captured_inputs}
    module = tf.Module()
    module.weights = list(
        {
            id(variable): variable for function in functions.values() for variable in function.graph.variables
        }.values()
    )
    module.tables = [table for table in lookup_tables(model) if id(table.resource_handle) in captured]
    handles = {id(table.resource_handle) for table in module.tables}
    handles |= {id(variable.handle) for variable in module.weights}
    resources = [tensor for tensor in captured.values() if tensor.dtype == tf.resource]
    if any(id(tensor) not in handles for tensor in resources):
        raise ValueError(
            "a layer keeps a lookup table or another resource where an export does not find it, such as in a "
            "dict; make each an attribute of its layer"
        )
    return module


def _check_free(path: Path, overwrite: bool) -> None:
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists; export to the next version number, or replace it with overwrite=True "
            "(--overwrite)"
        )


@contextlib.contextmanager
def _appearing_whole(path: Path, overwrite: bool) -> Iterator[Path]:
    """Gives a temporary folder beside `path`, which takes its place when the block ends well.

    The temporary name is no number, so that a server does not take it for a version.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _repair(path)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.{os.getpid()}.", dir=path.parent))
    try:
        yield temporary
        temporary.chmod(0o755)  # mkdtemp's folders are closed to others, among them a server's user
        _check_free(path, overwrite)
        _put_in_place(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _put_in_place(temporary: Path, path: Path) -> None:
    """Renames a folder to `path`. What is there is set aside before, and removed after."""
    replaced = temporary.with_name(f"{temporary.name}{_REPLACED}")
    if path.exists():
        path.rename(replaced)
    try:
        temporary.rename(path)
    except BaseException:
        if replaced.exists():
            replaced.rename(path)
        raise
    shutil.rmtree(replaced, ignore_errors=True)


def _repair(path: Path) -> None:
    """Mends what an export that was killed has left: the model that it had set aside comes back to `path`."""
    left = list(path.parent.glob(f".{glob.escape(path.name)}.*.*"))
    set_aside = [folder for folder in left if folder.name.endswith(_REPLACED)]
    if set_aside and not path.exists():
        max(set_aside, key=lambda folder: folder.stat().st_mtime).rename(path)
    for folder in left:
        pid = folder.name.removeprefix(f".{path.name}.").split(".")[0]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            shutil.rmtree(folder, ignore_errors=True)
        except (ValueError, PermissionError):
            pass
