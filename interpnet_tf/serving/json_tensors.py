"""JSON and arrays: the row and the column format of TensorFlow Serving's REST API."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from collections.abc import Mapping
from typing import Any

import ml_dtypes  # noqa: F401  (numpy knows bfloat16 and its like by it)
import numpy as np

from interpnet_tf.serving.errors import invalid
from interpnet_tf.serving.specs import Inputs, TensorSpec

ROW, COLUMN = "instances", "inputs"
RANGE_ADVICE = "send numbers in the range of that type"
PIECE = 4096  # values that are written in one go, while which no other thread runs


def parse(body: bytes) -> dict[str, Any]:
    """Reads the body of a `:predict` request.

    Raises:
        ServingError: if it is no JSON object with one of the keys `instances` and `inputs`.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        reason = str(error).partition("; use sys.")[0]  # which is no advice for a client
        raise invalid(
            f'JSON Parse error: {reason}; send an object such as {{"instances": [[0.1, 0.2]]}}'
        ) from None
    if not isinstance(document, dict):
        raise invalid(
            f'the JSON is a {_json_type(document)}; send an object with the key "{ROW}" or "{COLUMN}"'
        )
    if (ROW in document) == (COLUMN in document):
        raise invalid(
            f'Missing "{COLUMN}" or "{ROW}" key, or both are there; send one: '
            f'"{ROW}" is a list of examples, "{COLUMN}" a list or object of whole batches'
        )
    if not isinstance(document.get("signature_name", ""), str):
        raise invalid('"signature_name" must be a string')
    return document


def wish(document: Mapping[str, Any]) -> dict[str, str]:
    """Returns the `name` of the signature that a request asks for, and its `form`, `ROW` or `COLUMN`."""
    return {"name": document.get("signature_name", ""), "form": ROW if ROW in document else COLUMN}


def read_inputs(document: Mapping[str, Any], signature: Inputs) -> dict[str, np.ndarray]:
    """Turns the values of a request into arrays of the types that a signature reads.

    Raises:
        ServingError: if they do not fit.
    """
    values = _rows(document[ROW], signature) if ROW in document else _columns(document[COLUMN], signature)
    return {name: to_array(value, signature.inputs[name]) for name, value in values.items()}


def _rows(instances: Any, signature: Inputs) -> dict[str, Any]:
    if not isinstance(instances, list):
        raise invalid(f'"{ROW}" is a {_json_type(instances)}; send a list with one item an example')
    if not instances:
        raise invalid(f'No values in "{ROW}": the batch is empty; send at least one example')
    named = [_is_named(item) for item in instances]
    if not any(named):
        return {_only_input(signature): instances}
    if not all(named):
        raise invalid(f'"{ROW}" mixes objects with plain values; send one kind')
    for item in instances:
        signature.check_names(set(item))
    return {name: [item[name] for item in instances] for name in signature.inputs}


def _columns(inputs: Any, signature: Inputs) -> dict[str, Any]:
    if not _is_named(inputs):
        return {_only_input(signature): inputs}
    signature.check_names(set(inputs))
    return inputs


def _is_named(value: Any) -> bool:
    """Whether an object gives inputs by name, rather than one string in base64."""
    return isinstance(value, dict) and not (set(value) == {"b64"} and isinstance(value["b64"], str))


def _only_input(signature: Inputs) -> str:
    if len(signature.inputs) > 1:
        raise invalid(
            f'signature "{signature.name}" reads several inputs; name them: {sorted(signature.inputs)}'
        )
    return next(iter(signature.inputs))


def to_array(value: Any, spec: TensorSpec) -> np.ndarray:
    """Returns the array of a value, of nested lists or of a list of them.

    Raises:
        ServingError: if lists are ragged, or a value is of another type than the model reads.
    """
    shape: list[int] = []
    items = [value]
    while items and type(items[0]) is list:
        if set(map(type, items)) != {list}:
            raise invalid(
                f'input "{spec.name}" mixes lists with values at depth {len(shape)}; nest all alike'
            )
        lengths = set(map(len, items))
        if len(lengths) > 1:
            raise invalid(
                f'input "{spec.name}" is ragged: lists at depth {len(shape)} have {min(lengths)} to '
                f"{max(lengths)} items; send lists of one length"
            )
        shape += lengths
        items = list(itertools.chain.from_iterable(items))
    spec.check_shape(tuple(shape))
    return _convert(items, spec).reshape(shape)


def _convert(items: list[Any], spec: TensorSpec) -> np.ndarray:
    name = spec.dtype.name
    if name == "string":
        array = np.empty(len(items), dtype=object)
        array[:] = [_to_bytes(item, spec) for item in items]
        return array
    if name == "bool":
        accepted = {bool}
    elif name.startswith(("int", "uint")):
        accepted = {int}
    elif name.startswith(("float", "bfloat")):
        accepted = {int, float}
    else:
        raise invalid(f'input "{spec.name}" is {name}, which JSON cannot carry; use gRPC')
    if strangers := set(map(type, items)) - accepted:
        stranger = next(item for item in items if type(item) in strangers)
        raise invalid(
            f'input "{spec.name}" holds {json.dumps(stranger)[:40]}, a {_json_type(stranger)}, '
            f"but the model reads {name}"
        )
    try:
        with np.errstate(over="ignore"):  # what becomes infinite is refused with what came so
            return np.array(items, name)
    except OverflowError:
        raise invalid(f'input "{spec.name}" holds a number too large for {name}; {RANGE_ADVICE}') from None


def _to_bytes(item: Any, spec: TensorSpec) -> bytes:
    if isinstance(item, str):
        try:
            return item.encode()
        except UnicodeEncodeError:
            raise invalid(
                f'input "{spec.name}" holds half of a surrogate pair, which is no character; send whole text'
            ) from None
    if _is_named(item) or not isinstance(item, dict):
        raise invalid(
            f'input "{spec.name}" reads strings, got a {_json_type(item)}; '
            'send text, or bytes as {"b64": "…"} in base64'
        )
    text = item["b64"]
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(
            f'input "{spec.name}": "b64" is no base64; encode the bytes of the whole file'
        ) from None


def _json_type(value: Any) -> str:
    names = {dict: "object", list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def answer(form: str, outputs: Mapping[str, np.ndarray]) -> bytes:
    """Returns the body that answers a request, in the form in which it asked, `ROW` or `COLUMN`.

    It is written piece by piece, so that other threads run meanwhile.

    Raises:
        ServingError: if rows are asked for, and outputs differ in their number of rows.
    """
    if form == COLUMN:
        columns = {name: _dump(name, array) for name, array in outputs.items()}
        return f'{{"outputs": {_named(columns)}}}'.encode()
    counts = {name: array.shape[0] if array.ndim else None for name, array in outputs.items()}
    if len(set(counts.values())) > 1 or None in counts.values():
        raise invalid(
            f'the outputs have no rows in common ({counts}); ask in the column format, with "{COLUMN}"'
        )
    rows = range(next(iter(counts.values())))
    predictions = [
        _named({name: _dump(name, array[row, ...]) for name, array in outputs.items()}) for row in rows
    ]
    return f'{{"predictions": [{", ".join(predictions)}]}}'.encode()


def _named(values: Mapping[str, str]) -> str:
    """Returns the JSON of an object of JSON values, or of the only one."""
    if len(values) == 1:
        return next(iter(values.values()))
    return f"{{{', '.join(f'{json.dumps(name)}: {value}' for name, value in values.items())}}}"


def _dump(name: str, array: np.ndarray) -> str:
    if array.ndim > 1 and array.size > PIECE:
        return f"[{', '.join(_dump(name, part) for part in array)}]"
    return json.dumps(from_array(name, array), ensure_ascii=False)


def from_array(name: str, array: np.ndarray) -> Any:
    """Returns an array as nested lists of what JSON has.

    Bytes become text, or `{"b64": …}` in an output named `…_bytes`, as TensorFlow Serving has it. Numbers of
    32 bits get no more digits than tell them apart.
    """
    if array.dtype == object:
        if name.endswith("_bytes"):
            items = [{"b64": base64.b64encode(item).decode()} for item in array.ravel()]
        else:
            items = [item.decode("utf-8", "replace") for item in array.ravel()]
        boxed = np.empty(len(items), dtype=object)
        boxed[:] = items
        return boxed.reshape(array.shape).tolist()
    if array.dtype.kind not in "fiub":  # such as bfloat16
        array = array.astype("float32")
    if array.dtype.kind == "f" and array.dtype.itemsize < 8:
        return array.astype("U32").astype("float64").tolist()
    return array.tolist()
