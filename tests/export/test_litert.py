"""The LiteRT export: parity with the Keras model, ops, what lies in the file, and the quality gate."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from conftest import lessons

from interpnet_tf import LRCNDecoder, TransformerDecoder
from interpnet_tf.export import litert, quality
from interpnet_tf.export.litert_file import LiteRTModel, check_ops, least_runtime, ops, pack

pytest.importorskip("ai_edge_litert")
PHONE = Path(__file__).parents[2] / "export" / "phone"


@pytest.fixture(scope="module")
def transformer(birds, make_model):
    lrcn = make_model()
    decoder = TransformerDecoder(
        lrcn.tokenizer.vocabulary_size, layers=1, units=16, heads=2, max_length=14, seed=0, dropout=0.0
    )
    model = make_model(decoder=decoder, max_length=14)
    model.compile(keras.optimizers.Adam(0.01))
    model.fit(lessons(birds), batch_size=40, epochs=30, verbose=0)
    return model


@pytest.fixture(params=["lrcn", "transformer"])
def model(request, trained):
    return trained if request.param == "lrcn" else request.getfixturevalue("transformer")


@pytest.fixture(scope="module")
def exported(trained, valid_birds, tmp_path_factory):
    path = tmp_path_factory.mktemp("litert") / "birds.tflite"
    return litert.export_litert(trained, path, samples=valid_birds)


def texts(model, converted):
    return model.tokenizer.detokenize(converted["token_ids"])


def test_explain_says_what_the_model_says(model, valid_birds):
    said = LiteRTModel(litert.convert(model))("explain", valid_birds.inputs)
    expected = model.explain(valid_birds)
    assert texts(model, said) == [e.text for e in expected]
    assert said["class_id"].tolist() == [e.class_id for e in expected]
    np.testing.assert_allclose(said["probability"], [e.probability for e in expected], rtol=1e-5)
    assert said["token_ids"].shape == said["log_probabilities"].shape == (7, model.max_length)
    for row, explanation in enumerate(expected):
        count = len(explanation.words)
        np.testing.assert_allclose(
            said["log_probabilities"][row, :count], explanation.log_probabilities, atol=1e-4
        )
    np.testing.assert_allclose(said["log_probability"], said["log_probabilities"].sum(axis=1), rtol=1e-5)


@pytest.mark.parametrize("quantize", ["dynamic", "float16", "int8"])
def test_quantized_files_agree_on_a_learned_task(model, valid_birds, quantize):
    content = litert.convert(model, quantize, valid_birds.inputs)
    check_ops(content)
    said = LiteRTModel(content)("explain", valid_birds.inputs)
    assert texts(model, said) == [e.text for e in model.explain(valid_birds)]
    assert said["class_id"].tolist() == valid_birds.labels.tolist()


def test_eight_bits_hold_layers_of_different_sizes(make_model, valid_birds):
    model = make_model(decoder=LRCNDecoder(20, embedding_dim=8, units=128, seed=0))
    x = valid_birds.inputs * [1, 1, 1, 1e-5, 1e-5]
    scale = np.ones(model.introspector.width, "float32")
    scale[3:5] = 1e5
    model.r_scale.assign(scale)
    expected = LiteRTModel(litert.convert(model))("explain", x)["log_probability"]
    found = LiteRTModel(litert.convert(model, "dynamic"))("explain", x)["log_probability"]
    assert np.abs(expected - found).max() < 0.1


def test_classify_and_introspect(trained, exported, valid_birds):
    run = LiteRTModel(exported)
    activations = trained.introspector(valid_birds.inputs)
    found = run("introspect", valid_birds.inputs)
    assert set(found) == set(activations)
    for name, activation in activations.items():
        np.testing.assert_allclose(found[name], activation, atol=1e-5)
    classified = run("classify", valid_birds.inputs)
    np.testing.assert_allclose(classified["probabilities"], trained.classifier(valid_birds.inputs), atol=1e-6)
    assert set(classified) == {"class_id", "probability", "probabilities"}


def test_any_batch_size(model, valid_birds):
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(model_content=litert.convert(model, batch_size=None)).get_signature_runner("explain")
    together = run(x=valid_birds.inputs)["token_ids"]
    apart = np.concatenate([run(x=x[None])["token_ids"] for x in valid_birds.inputs])
    np.testing.assert_array_equal(together, apart)
    assert texts(model, {"token_ids": together}) == [e.text for e in model.explain(valid_birds)]


@pytest.mark.parametrize("fold", [True, False])
def test_folded_weights_say_the_same(model, valid_birds, fold):
    said = LiteRTModel(litert.convert(model, fold=fold))("explain", valid_birds.inputs)
    assert texts(model, said) == [e.text for e in model.explain(valid_birds)]


def test_pictures_with_the_backbone_inside(make_model):
    inputs = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
    x = keras.layers.GlobalAveragePooling2D(name="features")(x)
    classifier = keras.Model(inputs, keras.layers.Dense(3, "softmax", name="probabilities")(x))
    model = make_model(classifier)
    pictures = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype("uint8")
    said = LiteRTModel(litert.convert(model))("explain", pictures)
    assert texts(model, said) == [e.text for e in model.explain(pictures)]


@pytest.mark.parametrize("quantize", [None, "int8"])
def test_swish_whose_gradient_is_custom(make_model, valid_birds, quantize):
    classifier = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(6, "swish"), keras.layers.Dense(3, "softmax")]
    )
    model = make_model(classifier)
    said = LiteRTModel(litert.convert(model, quantize, valid_birds.inputs))("explain", valid_birds.inputs)
    tolerance = 0.02 if quantize else 1e-5
    np.testing.assert_allclose(said["probabilities"], classifier(valid_birds.inputs), atol=tolerance)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_other_precisions_become_float32(make_model, valid_birds, policy):
    classifier = keras.Sequential(
        [
            keras.Input((5,), dtype="float64" if policy == "float64" else "float32"),
            keras.layers.Dense(6, "swish", dtype=policy),
            keras.layers.Dense(3, "softmax", dtype="float32"),
        ]
    )
    model = make_model(classifier, dtype=policy if policy != "float64" else None)
    said = LiteRTModel(litert.convert(model))("explain", valid_birds.inputs)
    np.testing.assert_allclose(said["probabilities"], classifier(valid_birds.inputs), atol=0.02)
    assert said["token_ids"].shape == (7, model.max_length)


def classifiers_without_a_file():
    """Classifiers that LiteRT cannot hold, and what is said of each."""
    layers = keras.layers
    ids, text = keras.Input((4,), dtype="int32"), keras.Input((1,), dtype="string")
    open_ids, vector = keras.Input((None,), dtype="int32"), keras.Input((6,))
    looked_up = layers.IntegerLookup(vocabulary=[3, 4], output_mode="multi_hot", name="known")(ids)
    words = layers.StringLookup(vocabulary=["crow"], output_mode="one_hot")(text)
    summed = layers.GlobalAveragePooling1D()(layers.Embedding(5, 4)(open_ids))
    counted = layers.CategoryEncoding(5, output_mode="multi_hot", name="counts")(ids)
    transformed = keras.ops.rfft(vector, fft_length=6)[0]
    quantized = keras.Sequential([vector, layers.Dense(3, name="p")])
    quantized.quantize("int8")
    return {
        "reads strings.*behind the layer.*SavedModel": keras.Model(text, layers.Dense(3)(words)),
        "no lookup tables, as layer 'known'.*SavedModel": keras.Model(ids, layers.Dense(3)(looked_up)),
        "inputs of one size.*fixed keras.Input": keras.Model(open_ids, layers.Dense(3)(summed)),
        "no op DenseBincount, which layer 'counts' of": keras.Model(ids, layers.Dense(3)(counted)),
        "does not run it .*other layers": keras.Model(vector, layers.Dense(3)(transformed)),
        r"Keras' quantize\(\).*as it was before": quantized,
    }


def test_classifiers_that_litert_cannot_hold(make_model, tmp_path):
    for message, classifier in classifiers_without_a_file().items():
        with pytest.raises(ValueError, match=message):
            make_model(classifier).export(tmp_path / "birds.tflite", "litert")
    assert list(tmp_path.iterdir()) == []


def test_only_built_in_ops(exported):
    found = ops(exported.read_bytes())
    assert {"WHILE", "FULLY_CONNECTED", "GATHER"} <= found
    check_ops(exported.read_bytes())


def test_ops_that_are_not_built_in_are_refused(trained):
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [tf.function(lambda x: tf.raw_ops.Digamma(x=x)).get_concrete_function(tf.TensorSpec((2,)))]
    )
    converter.allow_custom_ops = True
    with pytest.raises(ValueError, match="custom:Digamma"):
        check_ops(converter.convert())


def test_what_lies_in_the_file_and_beside_it(trained, exported, birds):
    with zipfile.ZipFile(exported) as archive:
        packed = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    assert packed["labels.txt"].split("\n") == [*birds.class_names, ""]
    words = packed["vocabulary.txt"].splitlines()
    assert words[:4] == ["[pad]", "[start]", "[end]", "[unknown]"]
    assert words[4:] == trained.tokenizer.vocabulary
    assert json.loads(packed["preprocessing.json"])["shape"] == [5]
    beside = {path.name for path in exported.parent.iterdir()}
    assert beside == {"birds.tflite", "birds.model_card.json"} | {f"birds.{name}" for name in packed}
    for name, text in packed.items():
        assert (exported.parent / f"birds.{name}").read_text("utf-8") == text


def test_the_card_tells_what_the_conversion_cost(exported):
    card = json.loads((exported.parent / "birds.model_card.json").read_text("utf-8"))
    assert card["least_runtime"] == "2.6.0"
    assert card["quality"]["examples"] == 7
    assert card["quality"]["identical_sentences"] == 1.0
    assert card["quality"]["accuracy"] == {"keras": 1.0, "converted": 1.0, "change": 0.0}
    assert card["quality"]["cider_d"]["change"] == 0.0
    assert card["quantization"] == "none"


def test_pack_leaves_the_model_in_front():
    packed = pack(b"model", {"a.txt": "größe"})
    assert packed.startswith(b"model")
    assert packed == pack(b"model", {"a.txt": "größe"})


def test_export_appears_whole_or_not_at_all(trained, tmp_path, monkeypatch):
    def fail(*_):
        raise RuntimeError("no room")

    monkeypatch.setattr(litert, "pack", fail)
    with pytest.raises(RuntimeError, match="no room"):
        litert.export_litert(trained, tmp_path / "birds.tflite")
    assert not (tmp_path / "birds.tflite").exists()
    assert not [path for path in tmp_path.iterdir() if ".tmp" in path.name]


def test_the_converter_is_silent(make_model, trained, valid_birds, capfd, caplog):
    litert.convert(trained, "int8", valid_birds.inputs)
    swish = keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, "swish")])
    litert.convert(make_model(swish))
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_the_interpreter_is_silent(exported):
    program = f"""
from interpnet_tf.export.litert_file import LiteRTModel
print(LiteRTModel({str(exported)!r})("classify", [[1, 0, 0, 0, 0]])["class_id"])
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("[0]\n", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantize": "int4"}, "quantize"),
        ({"path": "birds.bin"}, "tflite"),
        ({"quantize": "int8"}, "samples"),
        ({"max_length": 0}, "max_length"),
    ],
)
def test_wrong_arguments(trained, tmp_path, options, message):
    path = tmp_path / options.pop("path", "birds.tflite")
    with pytest.raises(ValueError, match=message):
        litert.export_litert(trained, path, **options)


def test_an_existing_file_is_kept(trained, exported):
    before = exported.read_bytes()
    with pytest.raises(FileExistsError, match="overwrite"):
        litert.export_litert(trained, exported)
    assert exported.read_bytes() == before


def test_quality_by_hand():
    same = quality.compare(
        ["a b c d", "e f g h"], [0, 1], ["a b c d", "e f g x"], [0, 0], [["a b c d"], []], [0, 1]
    )
    assert same["identical_sentences"] == 0.5
    assert same["identical_classes"] == 0.5
    assert same["accuracy"] == {"keras": 1.0, "converted": 0.5, "change": -0.5}
    assert same["cider_d"]["change"] == 0.0  # the second example has no reference


def test_a_poor_conversion_warns():
    poor = {"identical_sentences": 0.5, "accuracy": {"change": -0.02}}
    with pytest.warns(UserWarning, match=r"50.0% of the sentences .*accuracy x 100 changed by -2.00"):
        quality.warn_if_poor(poor, least_identical=0.9, most_lost=1.0)


def test_a_good_conversion_does_not_warn(recwarn):
    quality.warn_if_poor({"identical_sentences": 0.95, "cider_d": {"change": -0.005}}, 0.9, 1.0)
    assert not recwarn


def test_client_says_what_the_model_says_without_tensorflow(trained, exported, valid_birds, tmp_path):
    np.save(tmp_path / "x.npy", valid_birds.inputs)
    program = f"""
import json, sys
sys.path.insert(0, {str(PHONE)!r})
import numpy as np
from interpnet_lite import Explainer
explainer = Explainer({str(exported)!r})
said = [vars(explainer.explain(x)) for x in np.load({str(tmp_path / "x.npy")!r})]
loaded = [name for name in ("tensorflow", "keras", "interpnet_tf") if name in sys.modules]
print(json.dumps([loaded, said]))
"""
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    loaded, said = json.loads(output)
    assert loaded == []
    for found, expected in zip(said, trained.explain(valid_birds), strict=True):
        assert (found["text"], found["label"]) == (expected.text, expected.label)
        assert tuple(found["words"]) == expected.words
        np.testing.assert_allclose(found["log_probabilities"], expected.log_probabilities, atol=1e-4)


def test_client_joins_words_as_the_tokenizer_does(trained):
    from interpnet_tf import ExplanationTokenizer

    sys.path.insert(0, str(PHONE))
    try:
        from interpnet_lite import detokenize
    finally:
        sys.path.remove(str(PHONE))
    words = ["a", ",", "(", "b", ")", "/", "[", "c", "]", "#", "1", "%", ".", "…", "{", "d", "}", "-", "x"]
    tokenizer = ExplanationTokenizer(words)
    draw = np.random.default_rng(0)
    for _ in range(200):
        ids = draw.integers(4, 4 + len(words), 12)
        assert detokenize([words[index - 4] for index in ids]) == tokenizer.detokenize([ids])[0]


def test_dynamic_files_need_the_runtime_that_the_phone_guide_names(trained, birds):
    least = least_runtime(litert.convert(trained, "dynamic"))
    assert least_runtime(litert.convert(trained, "int8", birds.inputs)) == least
    guide = (Path(__file__).parents[2] / "export" / "phone" / "README.md").read_text("utf-8")
    assert f"**{least.removesuffix('.0')}**" in guide
    assert f"`{least}`" in guide
