"""Joins two LiteRT models, each quantized in its own way, into one file whose signatures run through both."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from interpnet_tf.export.litert_file import LEAST_RUNTIME, least_runtime, litert_schema


def link(first: bytes, second: bytes) -> bytes:
    """Joins a model that feeds and a model that is fed.

    LiteRT calibrates a whole model or none of it, and a calibrated loop fails when it runs: so the classifier
    is calibrated by itself, and joined to a decoder whose weights alone are quantized.

    Args:
        first: flatbuffer of a model with one signature and no loops; it stays a signature of the result.
        second: flatbuffer of a model whose signatures have inputs that the first one's outputs are named
            after. In the result they have the first one's inputs.

    Returns:
        The flatbuffer; weights are stored once, however many signatures use them.
    """
    import flatbuffers

    schema = litert_schema()
    feeding, model = (schema.ModelT.InitFromPackedBuf(content, 0) for content in (first, second))
    for tensor in feeding.subgraphs[0].tensors:
        tensor.buffer += len(model.buffers) if tensor.buffer else 0
    for operator in feeding.subgraphs[0].operators:
        operator.opcodeIndex += len(model.operatorCodes)
    model.buffers += feeding.buffers
    model.operatorCodes += feeding.operatorCodes
    # The conversion flags in the metadata are of the parts; the runtime must have the ops of both.
    runtime = max((least_runtime(content) for content in (first, second)), key=_version)
    buffer, entry = schema.BufferT(), schema.MetadataT()
    buffer.data = np.frombuffer(runtime.encode(), "uint8")
    entry.name, entry.buffer = LEAST_RUNTIME, len(model.buffers)
    model.buffers.append(buffer)
    model.metadata = [entry]
    source = feeding.signatureDefs[0]
    for signature in model.signatureDefs:
        graph = model.subgraphs[signature.subgraphIndex]
        _feed(copy.deepcopy(feeding.subgraphs[0]), source, graph, signature)
    source.subgraphIndex = len(model.subgraphs)
    model.subgraphs.append(feeding.subgraphs[0])
    model.signatureDefs.append(source)
    builder = flatbuffers.Builder(sum(0 if b.data is None else len(b.data) for b in model.buffers))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def _feed(feeding: Any, source: Any, graph: Any, signature: Any) -> None:
    """Puts the feeding graph in front of a graph, in place."""
    offset = len(feeding.tensors)
    index = {tensor: offset + tensor for tensor in range(len(graph.tensors))} | {-1: -1}
    fed = {entry.name: entry.tensorIndex for entry in source.outputs}
    index |= {entry.tensorIndex: fed[entry.name] for entry in signature.inputs}

    def moved(tensors: Any) -> np.ndarray:
        return np.array([index[int(tensor)] for tensor in tensors], "int32")

    for operator in graph.operators:
        operator.inputs, operator.outputs = moved(operator.inputs), moved(operator.outputs)
    graph.tensors = feeding.tensors + graph.tensors
    graph.operators = feeding.operators + graph.operators
    graph.inputs, graph.outputs = feeding.inputs, moved(graph.outputs)
    signature.inputs = copy.deepcopy(source.inputs)
    for entry in signature.outputs:
        entry.tensorIndex = index[entry.tensorIndex]
