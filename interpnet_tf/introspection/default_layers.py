"""Which layers of a classifier form r(x) where the user names none: the paper's choice."""

from __future__ import annotations

import keras

from interpnet_tf.introspection.graph import Call, Trace, output_path, path_of

_DENSE = (
    keras.layers.Dense,
    keras.layers.EinsumDense,
    keras.layers.Conv1D,
    keras.layers.Conv2D,
    keras.layers.Conv3D,
    keras.Model,
)
_GLOBAL_POOLING = (
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.GlobalAveragePooling3D,
    keras.layers.GlobalMaxPooling1D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.GlobalMaxPooling3D,
)
_NOISE = (
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)
_AFTER_DENSE = (
    keras.layers.Activation,
    keras.layers.BatchNormalization,
    keras.layers.ELU,
    keras.layers.Flatten,
    keras.layers.LayerNormalization,
    keras.layers.LeakyReLU,
    keras.layers.PReLU,
    keras.layers.ReLU,
    keras.layers.Softmax,
    *_NOISE,
)


def default_layers(graph: Trace) -> list[str]:
    """Chooses the layers of which the paper forms r(x): x, every hidden activation, the probabilities.

    The *head* of a classifier is the part behind which no maps and no sequences remain, only vectors.

    - x is the inputs themselves where all are vectors of floats; otherwise it is what enters the first
      dense layer of the head: pooled or flattened maps, a summarised sequence.
    - a hidden activation is the output of a dense layer of the head, with the normalisation and
      nonlinearity that follow it. A nested model within the head counts as one layer.

    Args:
        graph: the classifier's graph, from `trace`.

    Returns:
        Paths, in the order of the graph.

    References:
        [Barratt, 2017](https://arxiv.org/abs/1710.09511), section 2.
    """
    consumers: dict[int, list[Call]] = {}
    producer: dict[int, Call] = {}
    for call in graph.calls:
        producer |= {id(tensor): call for tensor in call.outputs}
        for tensor in call.inputs:
            consumers.setdefault(id(tensor), []).append(call)

    vectors = _vectors(graph)
    head: set[int] = set()
    for call in reversed(graph.calls):
        readers = [reader for tensor in call.outputs for reader in consumers.get(id(tensor), [])]
        if vectors.issuperset(map(id, call.outputs)) and head.issuperset(map(id, readers)):
            head.add(id(call))

    def last_of_chain(call: Call) -> Call:
        last = call
        while len(consumers.get(id(call.outputs[0]), [])) == 1:
            call = consumers[id(call.outputs[0])][0]
            if not _continues_dense(call):
                break
            last = last if isinstance(call.layer, _NOISE) else call
        return last

    def before_noise(tensor: keras.KerasTensor) -> keras.KerasTensor:
        while id(tensor) in producer and isinstance(producer[id(tensor)].layer, _NOISE):
            tensor = producer[id(tensor)].inputs[0]
        return tensor

    features, hidden = [], []
    behind_dense: set[int] = set()
    for call in graph.calls:
        entering = set(map(id, call.inputs))
        is_dense = id(call) in head and isinstance(call.layer, _DENSE) and entering <= vectors
        is_first = behind_dense.isdisjoint(entering)
        if is_dense or not is_first:
            behind_dense.update(map(id, call.outputs))
        if is_dense:
            hidden.append(path_of(graph, last_of_chain(call).outputs[0]))
        if is_dense and is_first:
            features += [path_of(graph, before_noise(tensor)) for tensor in call.inputs]
    if vectors.issuperset(map(id, graph.inputs.values())):
        features = list(graph.inputs)
    return list(dict.fromkeys([*features, *hidden, output_path(graph)]))


def _vectors(graph: Trace) -> set[int]:
    """Returns the ids of the tensors that are one vector of floats an example.

    A map of one position is a vector only behind a global pooling: small images make such maps earlier.
    """
    vectors: set[int] = set()

    def add(tensor: keras.KerasTensor, keeps_vectors: bool) -> None:
        rank, is_float = len(tensor.shape), keras.backend.is_float_dtype(tensor.dtype)
        if is_float and (rank == 2 or (keeps_vectors and rank > 2 and set(tensor.shape[1:-1]) == {1})):
            vectors.add(id(tensor))

    for tensor in graph.inputs.values():
        add(tensor, False)
    for call in graph.calls:
        keeps_vectors = isinstance(call.layer, _GLOBAL_POOLING) or vectors.issuperset(map(id, call.inputs))
        for tensor in call.outputs:
            add(tensor, keeps_vectors)
    return vectors


def _continues_dense(call: Call) -> bool:
    """Whether `call` belongs to the dense layer before it: a nonlinearity and the like, or an op as relu."""
    if isinstance(call.layer, keras.Layer):
        return isinstance(call.layer, _AFTER_DENSE)
    return len(call.inputs) == 1 and call.inputs[0].shape == call.outputs[0].shape
