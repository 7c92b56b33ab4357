"""The Transformer decoder: the contract, its view of the layers, its attention, and life inside a model."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import bird_classifier, lessons

import interpnet_tf
from interpnet_tf import ExplanationTokenizer, InterpNet, TransformerDecoder, runs
from interpnet_tf.generation import Decoding, generate
from interpnet_tf.testing import check_decoder_contract

SLICES = {"hidden": (0, 4), "probabilities": (4, 7)}
RANDOM = np.random.default_rng(0)
R = RANDOM.normal(size=(3, 7)).astype("float32")
TOKENS = RANDOM.integers(1, 11, (3, 5)).astype("int32")
INPUTS = {"r": R, "tokens": TOKENS}


def small(**options) -> TransformerDecoder:
    defaults = {"units": 8, "heads": 2, "max_length": 12, "tokens_per_layer": 3, "slices": SLICES, "seed": 0}
    return TransformerDecoder(11, **{**defaults, **options})


def talkative(**options) -> TransformerDecoder:
    """A built decoder with large weights, so that everything it reads matters."""
    decoder = small(**options)
    decoder(INPUTS)
    random = np.random.default_rng(1)
    for variable in decoder.trainable_variables:
        variable.assign(random.normal(0, 0.7, variable.shape))
    return decoder


@pytest.mark.slow
def test_meets_the_contract_before_it_is_built_where_r_is_one_layer():
    check_decoder_contract(small(layers=1, slices=None, max_length=4), width=7)


def test_knows_the_shape_of_its_logits():
    assert small().compute_output_shape({"r": (3, 7), "tokens": (3, 5)}) == (3, 5, 11)


def test_meets_the_contract():
    """With large weights, which let every fault be seen."""
    check_decoder_contract(talkative(max_length=7), width=7, tolerance=1e-4)


@pytest.mark.slow
def test_meets_the_contract_in_mixed_precision():
    check_decoder_contract(small(layers=1, dtype="mixed_bfloat16", max_length=4), width=7, tolerance=1e-2)


def test_mixed_precision_keeps_weights_in_float32():
    decoder, exact = small(dtype="mixed_bfloat16"), small()
    logits = decoder(INPUTS)
    assert {variable.dtype for variable in decoder.trainable_variables} == {"float32"}
    assert decoder.start(tf.constant(R))["self_0"].dtype == tf.bfloat16
    assert 0 < np.abs(logits - exact(INPUTS)).max() < 0.02


def test_memory_of_a_layer_depends_on_its_slice_alone():
    decoder = talkative()
    before = decoder.memory(R).numpy()
    assert before.shape == (3, 2 * 3, 8)
    changed = R.copy()
    changed[:, 4:7] += 1  # the probabilities, whose tokens are the last three
    after = decoder.memory(changed).numpy()
    np.testing.assert_array_equal(after[:, :3], before[:, :3])
    assert (np.abs(after[:, 3:] - before[:, 3:]).max(axis=-1) > 1e-3).all()


def test_memory_tokens_by_hand():
    """A token is the normalized sum of its map of the slice and its bias."""
    decoder = talkative()
    memory = decoder.memory
    kernel, bias = (weight.numpy() for weight in memory.projections[1].weights)
    token = R[:, 4:7] @ kernel[:, 8:16] + bias[8:16]  # the second of three tokens, 8 wide
    token = (token - token.mean(axis=1, keepdims=True)) / np.sqrt(token.var(axis=1, keepdims=True) + 1e-5)
    token = token * memory.normalization.gamma.numpy() + memory.normalization.beta.numpy()
    np.testing.assert_allclose(memory(R)[:, 3 + 1], token, atol=1e-4)


def test_attention_sums_to_one_and_averages_blocks_and_heads():
    decoder = talkative()
    apart = decoder.attention(INPUTS, average=False).numpy()
    assert apart.shape == (3, 2, 2, 5, 2)  # batch, blocks, heads, words, slices
    np.testing.assert_allclose(apart.sum(axis=-1), 1, atol=1e-5)
    assert apart.std() > 0.05
    np.testing.assert_allclose(decoder.attention(INPUTS), apart.mean(axis=(1, 2)), atol=1e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.3])  # Keras computes attention in another way with dropout
def test_attention_is_what_the_forward_pass_used(dropout, monkeypatch):
    """With one token a layer, the weights times the values are what the cross-attention put out."""
    decoder = talkative(tokens_per_layer=1, dropout=dropout)
    outputs = []
    for block in decoder.blocks:
        layer = block._cross_attention_layer
        monkeypatch.setattr(
            layer, "call", lambda *a, call=layer.call, **k: outputs.append(call(*a, **k)) or outputs[-1]
        )
    decoder(INPUTS)
    monkeypatch.undo()
    weights, memory = decoder.attention(INPUTS, average=False).numpy(), decoder.memory(R)
    for index, (block, output) in enumerate(zip(decoder.blocks, outputs, strict=True)):
        layer = block._cross_attention_layer
        values = layer.value_dense(memory).numpy()  # batch, tokens, heads, size
        mixed = np.einsum("bhwt,bthd->bwhd", weights[:, index], values)
        np.testing.assert_allclose(layer.output_dense(mixed), output, atol=1e-4)


def test_attention_finds_the_layer_that_is_looked_at():
    """A key that equals the query's direction draws all attention: by hand, for every word and head."""
    decoder = talkative(layers=1, tokens_per_layer=1)
    layer = decoder.blocks[0]._cross_attention_layer
    layer.query_dense.kernel.assign(tf.zeros_like(layer.query_dense.kernel))
    layer.query_dense.bias.assign(tf.ones_like(layer.query_dense.bias))
    keys = layer.key_dense(decoder.memory(R)).numpy()  # with queries of ones, the score is the key's sum
    scores = np.exp(keys.sum(axis=-1) / np.sqrt(4))  # heads are 8 / 2 wide
    expected = (scores / scores.sum(axis=1, keepdims=True)).mean(axis=2)
    weights = decoder.attention(INPUTS).numpy()
    np.testing.assert_allclose(weights, np.repeat(expected[:, None], 5, axis=1), atol=1e-5)


@pytest.mark.parametrize("decoding", [Decoding(), Decoding("beam", beams=3, n_best=2)])
def test_generates_in_a_graph_as_outside(decoding):
    decoder = talkative()
    r = tf.constant(R)
    eager = generate(decoder, r, 12, decoding)
    graph = tf.function(
        lambda r: generate(decoder, r, 12, decoding), input_signature=[tf.TensorSpec((None, 7))]
    )(r)
    np.testing.assert_array_equal(graph.ids, eager.ids)
    np.testing.assert_allclose(graph.log_probabilities, eager.log_probabilities, atol=1e-4)


def test_rows_of_the_state_can_be_reordered():
    decoder = talkative()
    _, state = decoder.step(tf.constant(TOKENS[:, 0]), decoder.start(tf.constant(R)))
    order = [2, 2, 0]
    logits, _ = decoder.step(
        tf.constant(TOKENS[order, 1]), {name: tf.gather(part, order) for name, part in state.items()}
    )
    np.testing.assert_allclose(logits, decoder(INPUTS)[:, 1].numpy()[order], atol=1e-4)


def test_equal_seeds_give_equal_weights_and_dropout():
    three = small(dropout=0.5), small(dropout=0.5), small(dropout=0.5, seed=1)
    first, second, other = [[decoder(INPUTS, training=True).numpy() for _ in range(2)] for decoder in three]
    np.testing.assert_array_equal(first, second)
    assert np.abs(first[0] - first[1]).max() > 1e-3
    assert np.abs(first[0] - other[0]).max() > 1e-3
    kernels = [weight.numpy().ravel()[:8] for weight in three[0].weights if weight.name == "kernel"]
    assert len({tuple(kernel) for kernel in kernels}) == len(kernels)  # each draws for itself
    states = [
        tuple(variable.numpy())
        for variable in small(dropout=0.5).variables
        if "seed_generator" in variable.path
    ]
    assert len(set(states)) == len(states)


def test_read_layers_fills_in_what_was_not_given():
    decoder, given = small(slices=None), small()
    for one in (decoder, given):
        one.read_layers({"all": slice(0, 7)})
    assert decoder.slices == {"all": [0, 7]}
    assert given.slices == {"hidden": [0, 4], "probabilities": [4, 7]}


@pytest.fixture(scope="module")
def model(birds) -> InterpNet:
    """Trained on `birds` with a decoder that it was given without word of the layers."""
    tokenizer = ExplanationTokenizer().adapt(birds.explanations)
    decoder = TransformerDecoder(tokenizer.vocabulary_size, units=16, dropout=0.0, seed=0)
    model = InterpNet(bird_classifier(), tokenizer, decoder=decoder, class_names=birds.class_names, seed=0)
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(lessons(birds), batch_size=40, epochs=60, verbose=0)
    return model


def test_learns_what_it_is_taught(model, birds):
    for label, explanation in zip(birds.labels, model.explain(birds), strict=True):
        assert explanation.text in birds.explanations[label]


def test_layers_have_the_names_of_the_classifier(model):
    assert model.decoder.slices == {"features": [0, 5], "hidden_1": [5, 11], "probabilities": [11, 14]}


def test_a_saved_model_says_the_same(model, birds, tmp_path):
    model.save(tmp_path / "birds.keras")
    again = interpnet_tf.load(tmp_path / "birds.keras")
    assert again.decoder.get_config() == model.decoder.get_config()
    assert [e.text for e in again.explain(birds)] == [e.text for e in model.explain(birds)]
    inputs = {"r": again.introspect(birds.inputs), "tokens": np.ones((len(birds.inputs), 3), "int32")}
    np.testing.assert_allclose(again.decoder.attention(inputs), model.decoder.attention(inputs), atol=1e-6)


def test_a_name_builds_one_that_fits(model):
    named = InterpNet(model.classifier, model.tokenizer, decoder="transformer", max_length=9, seed=5)
    assert (named.decoder.max_length, named.decoder.seed) == (9, 5)
    assert list(named.decoder.slices) == ["features", "hidden_1", "probabilities"]


def test_a_run_takes_the_sizes_that_suit():
    config = runs.RunConfig("sketchbirds", decoder="transformer", max_length=20)
    decoder = config.decoder_of(vocabulary_size=50)
    # A quarter of the root of 50, rounded up, is 2: twice 32 and twice 64; of 2000 it is 12, past the most.
    assert (decoder.units, decoder.dropout, decoder.max_length) == (64, 0.1, 20)
    lrcn = runs.RunConfig("sketchbirds").decoder_of(vocabulary_size=50)
    assert (lrcn.units, lrcn.dropout) == (128, 0.5)
    assert config.decoder_of(vocabulary_size=2000).units == 256
    assert runs.RunConfig("sketchbirds").decoder_of(vocabulary_size=2000).units == 512
    assert runs.RunConfig("sketchbirds", units=24).decoder_of(vocabulary_size=2000).units == 24


def test_importing_the_package_leaves_keras_nlp_alone():
    code = (
        "import sys, interpnet_tf.decoders; sys.exit(not {'keras_nlp', 'keras_hub'}.isdisjoint(sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: small(units=0), "units must be at least 1, got 0"),
        (lambda: small(layers=0), "layers must be at least 1, got 0"),
        (lambda: small(tokens_per_layer=0), "tokens_per_layer must be at least 1, got 0"),
        (lambda: small(units=10, heads=4), "multiple of heads, got units=10 and heads=4"),
        (lambda: small(dropout=1), "dropout must be at least 0 and less than 1, got 1"),
        (lambda: small(slices={"a": (0, 4)})(INPUTS), "cover r, whose width is 7, but they end at 4"),
        (lambda: small(slices={"a": (0, 4), "b": (5, 7)})(INPUTS), r"'b' must begin at 4.*got \(5, 7\)"),
        (lambda: small(slices={"a": (0, 0), "b": (0, 7)})(INPUTS), r"'a' must begin at 0 and end after it"),
        (lambda: small(max_length=4)(INPUTS), "at most max_length=4 words long, got 5"),
        (lambda: generate(talkative(), R, 13), "max_length must be at most 12.*got 13"),
        (lambda: runs.RunConfig("cub", decoder="transformer", units=30), "multiple of heads, got units=30"),
        (lambda: runs.RunConfig("cub", decoder="gru"), "got 'gru'"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_model_may_not_say_more_than_its_decoder(model):
    decoder = TransformerDecoder(model.tokenizer.vocabulary_size, max_length=8)
    with pytest.raises(ValueError, match=r"max_length must be at most 8.*got 9"):
        InterpNet(model.classifier, model.tokenizer, decoder=decoder, max_length=9)
    with pytest.raises(ValueError, match=r"max_length must be at most 32.*got 40"):
        model.explain(np.zeros((1, 5), "float32"), max_length=40)
