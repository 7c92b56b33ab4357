"""A SavedModel gives what the model gives, through the C++ loader that TensorFlow Serving has."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import c_api
import keras
import numpy as np
import pytest
import tensorflow as tf
from conftest import bird_features

from interpnet_tf import ExplanationTokenizer, InterpNet, LRCNDecoder, classifiers
from interpnet_tf.data.images import read_image
from interpnet_tf.export.saved_model import check_servable, operations
from interpnet_tf.export.signatures import input_specs

OF_FEATURES = {"serving_default", "classify", "introspect", "explain_top"}
CUB = Path(__file__).parents[3] / "shared" / "data" / "cub"


def text(values):
    return [value.decode("utf-8") for value in values]


def assert_explains_alike(outputs, explanations, rtol=1e-4):
    """Checks outputs of `serving_default` or `serving_bytes` against those of `model.explain`."""
    assert text(outputs["explanation"]) == [e.text for e in explanations]
    assert text(outputs["label"]) == [e.label for e in explanations]
    assert outputs["class_id"].tolist() == [e.class_id for e in explanations]
    np.testing.assert_allclose(outputs["probability"], [e.probability for e in explanations], rtol=rtol)
    for row, explanation in enumerate(explanations):
        count = len(explanation.words)
        assert text(outputs["words"][row][:count]) == list(explanation.words)
        assert not any(outputs["words"][row][count:])
        of_words = outputs["log_probabilities"][row]
        np.testing.assert_allclose(of_words[:count], explanation.log_probabilities, rtol=10 * rtol, atol=1e-4)
        np.testing.assert_allclose(outputs["log_probability"][row], of_words.sum(), rtol=1e-4, atol=1e-5)


@pytest.fixture(scope="module")
def exported(trained, tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "birds" / "7"
    assert trained.export(path, max_batch_size=8) == path
    return path


@pytest.fixture(scope="module")
def of_pictures(make_model):
    """A model that reads pictures; its weights are random, but large enough for sentences to differ."""
    keras.utils.set_random_seed(3)
    model = make_model(classifiers.small_cnn((32, 32, 3), 3, (20, 10), filters=(8, 8), seed=1))
    model.decoder.merge_r.assign(model.decoder.merge_r * 20.0)
    return model


def test_every_signature_through_the_c_api(trained, exported, tmp_path):
    x = bird_features(9, seed=3).inputs
    requests = [(name, {"x": x[:count]}) for name in sorted(OF_FEATURES) for count in (9, 1, 0)]
    keys = [(name, len(inputs["x"])) for name, inputs in requests]
    answers = dict(zip(keys, c_api.run(exported, requests, tmp_path), strict=True))
    for count in (9, 1):
        assert_explains_alike(answers["serving_default", count], trained.explain(x[:count]))
        assert answers["serving_default", count]["token_ids"].shape == (count, trained.max_length)
    for name in OF_FEATURES:
        assert {len(output) for output in answers[name, 0].values()} == {0}

    probabilities = trained.classifier.predict(x, verbose=0)
    np.testing.assert_allclose(answers["classify", 9]["probabilities"], probabilities, rtol=1e-4)
    assert text(answers["classify", 9]["label"]) == [trained.class_names[i] for i in probabilities.argmax(1)]

    activations = trained.introspector(x)
    assert set(answers["introspect", 9]) == set(activations) == {*trained.introspector.layer_paths, "r"}
    for name, activation in activations.items():
        np.testing.assert_allclose(answers["introspect", 9][name], activation, rtol=1e-4, atol=1e-6)

    best = trained.explain(x, sampler="beam", beams=5, n_best=5)
    top = answers["explain_top", 9]
    for row, explanation in enumerate(best):
        said = [explanation, *explanation.alternatives]
        assert text(top["explanations"][row])[: len(said)] == [e.text for e in said]
        np.testing.assert_allclose(top["scores"][row][: len(said)], [e.score for e in said], rtol=1e-3)
        assert not any(top["explanations"][row][len(said) :])
    assert top["token_ids"].shape == (9, 5, trained.max_length)
    assert len({e.text for e in best}) > 1  # else the comparison would say little


def test_pictures_as_arrays_and_as_files(of_pictures, tmp_path):
    path = of_pictures.export(tmp_path / "1", max_batch_size=2)
    random = np.random.default_rng(0)
    files = []
    for index in range(6):
        blobs = tf.image.resize(random.integers(0, 256, (3, 4, 3)), (70 + 20 * index, 100))
        encode = tf.io.encode_png if index % 2 else tf.io.encode_jpeg
        files.append(tmp_path / f"{index}.image")
        files[-1].write_bytes(encode(tf.cast(blobs, tf.uint8)).numpy())
    pictures = np.stack([read_image(file, 32) for file in files])
    expected = of_pictures.explain(pictures)
    assert len({e.text for e in expected}) > 1
    data = np.array([file.read_bytes() for file in files], object)
    requests = [
        ("serving_default", {"x": pictures}),
        ("serving_bytes", {"image_bytes": data}),
        ("serving_bytes", {"image_bytes": np.array([data[0][: len(data[0]) // 2]], object)}),
    ]
    from_arrays, from_files, from_truncated = c_api.run(path, requests, tmp_path)
    assert_explains_alike(from_arrays, expected)
    assert_explains_alike(from_files, expected, rtol=0.01)  # pixels may differ by rounding
    assert "Invalid JPEG data" in str(from_truncated)


def test_both_decoders(make_model, tmp_path):
    model = make_model(decoder="transformer")
    path = model.export(tmp_path / "1", max_batch_size=1)
    x = bird_features(5, seed=3).inputs
    (answer,) = c_api.run(path, [("serving_default", {"x": x})], tmp_path)
    assert_explains_alike(answer, model.explain(x))


def test_mixed_precision(make_model, tmp_path):
    model = make_model(dtype="mixed_bfloat16")
    x = bird_features(5, seed=3).inputs
    requests = [("serving_default", {"x": x}), ("introspect", {"x": x})]
    explained, introspected = c_api.run(model.export(tmp_path / "1"), requests, tmp_path)
    many = np.resize(x, (512, 5))  # so many that `explain` folds the weights, as the export does
    assert_explains_alike(explained, model.explain(many)[:5], rtol=1e-2)
    assert {output.dtype.name for output in introspected.values()} == {"float32"}


def test_wrong_inputs_are_refused_with_a_reason(exported, tmp_path):
    wrong = [np.full((2, 5), np.nan, "float32"), np.zeros((2, 4), "float32"), np.zeros((2, 5), "int32")]
    not_finite, shape, dtype = c_api.run(exported, [("classify", {"x": x}) for x in wrong], tmp_path)
    assert "x must hold finite numbers" in str(not_finite)
    assert "[2,4]" in str(shape)
    assert "[?,5]" in str(shape)
    assert "int32" in str(dtype)


def test_warmup_records_replay(exported, tmp_path):
    from tensorflow_serving.apis import prediction_log_pb2

    file = exported / "assets.extra" / "tf_serving_warmup_requests"
    requests = []
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == "birds"
        inputs = {name: tf.make_ndarray(tensor) for name, tensor in request.inputs.items()}
        requests.append((request.model_spec.signature_name, inputs))
    sizes = sorted((name, len(inputs["x"])) for name, inputs in requests)
    assert sizes == sorted((name, size) for name in OF_FEATURES for size in (1, 8))
    for (_, inputs), answer in zip(requests, c_api.run(exported, requests, tmp_path), strict=True):
        assert {len(output) for output in answer.values()} == {len(inputs["x"])}


def test_samples_are_the_warmup_requests(make_model, tmp_path):
    samples = bird_features(3, seed=5).inputs
    path = make_model().export(tmp_path / "1", max_batch_size=4, samples=samples)
    from tensorflow_serving.apis import prediction_log_pb2

    records = tf.data.TFRecordDataset(str(path / "assets.extra" / "tf_serving_warmup_requests"))
    *_, last = records.as_numpy_iterator()
    request = prediction_log_pb2.PredictionLog.FromString(last).predict_log.request
    np.testing.assert_array_equal(tf.make_ndarray(request.inputs["x"]), samples[[0, 1, 2, 0]])


def test_only_core_ops(exported):
    ops = operations(exported)
    assert {"MatMul", "StringJoin", "VarHandleOp"} & ops
    check_servable(ops)
    for foreign in ("XlaDynamicUpdateSlice", "EagerPyFunc", "IteratorV2", "RegexSplitWithOffsets"):
        with pytest.raises(ValueError, match=foreign):
            check_servable([*ops, foreign])


def test_a_graph_with_python_in_it_is_refused(make_model, tmp_path):
    class Python(keras.layers.Layer):
        def call(self, x):
            return tf.ensure_shape(tf.numpy_function(np.abs, [x], tf.float32), x.shape)

    inputs = keras.Input((5,))
    outputs = keras.layers.Dense(3, "softmax", name="probabilities")(Python()(inputs))
    with pytest.raises(ValueError, match="PyFunc"):
        make_model(keras.Model(inputs, outputs)).export(tmp_path / "1")
    assert list(tmp_path.iterdir()) == []


def test_model_card_tells_the_signatures(trained, exported):
    card = json.loads((exported / "model_card.json").read_text())
    assert (card["name"], card["format"]) == ("birds", "savedmodel")
    assert card["class_names"] == ["crow", "gull", "robin"]
    assert card["layers"]["hidden_1"] == [5, 11]
    assert card["warmup"] == {"records": 8, "batch_sizes": [1, 8]}
    assert card["signatures"]["classify"]["inputs"] == {"x": {"dtype": "float32", "shape": [-1, 5]}}
    assert card["signatures"]["serving_default"]["outputs"]["token_ids"]["shape"] == [-1, 32]
    served = c_api.signature_defs(exported)
    assert set(card["signatures"]) == set(served) == OF_FEATURES
    for name, signature in served.items():
        assert set(card["signatures"][name]["outputs"]) == set(signature.outputs)
    vocabulary = (exported / "assets.extra" / "vocabulary.txt").read_text().splitlines()
    assert vocabulary[4:] == trained.tokenizer.vocabulary
    assert len(vocabulary) == card["vocabulary_size"]


@pytest.mark.usefixtures("without_beams")
def test_existing_versions_are_refused_unless_asked(make_model, tmp_path):
    model, path = make_model(), tmp_path / "birds" / "1"
    model.export(path, max_batch_size=1)
    before = (path / "model_card.json").stat().st_ino
    with pytest.raises(FileExistsError, match="next version"):
        model.export(path)
    assert (path / "model_card.json").stat().st_ino == before
    model.export(path, overwrite=True, max_batch_size=2)
    assert json.loads((path / "model_card.json").read_text())["warmup"]["batch_sizes"] == [1, 2]
    assert [entry.name for entry in path.parent.iterdir()] == ["1"]
    assert path.stat().st_mode & 0o055 == 0o055  # a server runs as another user


def test_unfit_arguments_leave_nothing(make_model, tmp_path):
    model = make_model()
    for message, options in {
        "format": {"format": "onnx"},
        "max_batch_size": {"max_batch_size": 0},
        "n_best": {"n_best": 6},
    }.items():
        with pytest.raises(ValueError, match=message):
            model.export(tmp_path / "1", **options)
    assert list(tmp_path.iterdir()) == []


def text_classifier():
    """A classifier whose input is text: its words are looked up in tables."""
    words = keras.layers.TextVectorization(output_sequence_length=4, vocabulary=["film", "great", "dull"])
    text = keras.Input((1,), dtype="string", name="text")
    x = keras.layers.GlobalAveragePooling1D()(keras.layers.Embedding(6, 4)(words(text)))
    return keras.Model(text, keras.layers.Dense(3, "softmax", name="probabilities")(x))


@pytest.mark.usefixtures("without_beams")
def test_texts_and_their_lookup_tables(make_model, tmp_path):
    model = make_model(text_classifier())
    texts = np.array([["a great film"], ["a dull film"], ["what?"]], object)
    path = model.export(tmp_path / "1", max_batch_size=2)
    files = np.array([[text.encode()] for (text,) in texts], object)
    (answer,) = c_api.run(path, [("serving_default", {"x": files})], tmp_path)
    assert_explains_alike(answer, model.explain(texts))
    assert_explains_alike(answer, model.explain([text for (text,) in texts]))
    assert len(set(answer["probability"])) == 3  # else the words would not matter
    card = json.loads((path / "model_card.json").read_text())
    assert card["signatures"]["classify"]["inputs"] == {"x": {"dtype": "string", "shape": [-1, 1]}}


def test_a_table_that_an_export_does_not_find(make_model, tmp_path):
    class Hidden(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            initializer = tf.lookup.KeyValueTensorInitializer([1, 2], [0.5, 1.0])
            self.tables = {"one": tf.lookup.StaticHashTable(initializer, 0.0)}

        def call(self, ids):
            return self.tables["one"].lookup(ids)

        def compute_output_spec(self, ids):
            return keras.KerasTensor(ids.shape, "float32")

    ids = keras.Input((3,), dtype="int32")
    model = make_model(keras.Model(ids, keras.layers.Dense(3, "softmax", name="p")(Hidden()(ids))))
    with pytest.raises(ValueError, match="make each an attribute of its layer"):
        model.export(tmp_path / "1")
    with pytest.raises(ValueError, match="keeps what a LiteRT file cannot hold"):
        model.export(tmp_path / "model.tflite", "litert")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("without_beams")
def test_sizes_that_the_classifier_leaves_open_are_open(make_model, tmp_path):
    ids = keras.Input((None,), dtype="int32", name="ids")
    words = keras.layers.Embedding(6, 4, mask_zero=True)(ids)
    x = keras.layers.GlobalAveragePooling1D()(words)
    model = make_model(keras.Model(ids, keras.layers.Dense(3, "softmax")(x)))
    assert input_specs(model)[0].shape.as_list() == [None, None]
    short, long = np.array([[1, 2]], "int32"), np.array([[1, 2, 3, 4, 5]], "int32")
    path = model.export(tmp_path / "1", samples=long)
    answers = c_api.run(path, [("serving_default", {"x": x}) for x in (short, long)], tmp_path)
    for answer, x in zip(answers, (short, long), strict=True):
        assert_explains_alike(answer, model.explain(x))


@pytest.mark.usefixtures("without_beams")
def test_a_model_that_fails_on_made_up_inputs_needs_samples(make_model, tmp_path):
    text = keras.Input((1,), dtype="string")
    known = keras.layers.StringLookup(vocabulary=["crow", "gull"], num_oov_indices=0, output_mode="one_hot")
    model = make_model(keras.Model(text, keras.layers.Dense(3, "softmax")(known(text))))
    with pytest.raises(ValueError, match=r"made up .* pass some of its real inputs as samples"):
        model.export(tmp_path / "1")
    assert list(tmp_path.iterdir()) == []
    model.export(tmp_path / "1", samples=np.array([["gull"]]), max_batch_size=1)


EXPORT_AND_WAIT = """
import sys
import interpnet_tf as itf
from interpnet_tf.export import saved_model
model = itf.load(sys.argv[1])
def waiting_before(function):
    def wait(*arguments):
        print("now", flush=True)
        sys.stdin.readline()
        return function(*arguments)
    return wait
for name in ("write_warmup", "model_card"):
    setattr(saved_model, name, waiting_before(getattr(saved_model, name)))
model.export(sys.argv[2], max_batch_size=1)
"""


@pytest.mark.usefixtures("without_beams")
@pytest.mark.slow
def test_a_killed_export_leaves_no_version(make_model, tmp_path):
    """It is killed where it waits again; where it waits first, its files are as a kill would leave them."""
    model, versions = make_model(), tmp_path / "birds"
    model.save(tmp_path / "model.keras")
    process = subprocess.Popen(
        [sys.executable, "-c", EXPORT_AND_WAIT, str(tmp_path / "model.keras"), str(versions / "1")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout.readline() == b"now\n"
    earlier = shutil.copytree(versions, tmp_path / "earlier")
    process.stdin.write(b"go on\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"now\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    for left in (earlier, versions):
        (leftover,) = left.iterdir()
        assert (leftover / "saved_model.pb").exists()
        assert not leftover.name.isdecimal()
        model.export(left / "1", max_batch_size=1)
        assert [entry.name for entry in left.iterdir()] == ["1"]


@pytest.mark.slow
def test_whenever_it_is_killed(make_model, tmp_path):
    """A version folder that is there is complete."""
    model, versions = make_model(), tmp_path / "birds"
    model.save(tmp_path / "model.keras")
    code = (
        "import sys, itertools, interpnet_tf as itf\n"
        "model = itf.load(sys.argv[1])\n"
        "for version in itertools.count(1): model.export(f'{sys.argv[2]}/{version}', max_batch_size=1)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "model.keras"), str(versions)], stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 300
        while not (versions / "2").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.3)  # somewhere within the third
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    complete = {entry.name for entry in (versions / "1").iterdir()}
    numbered = [entry for entry in versions.iterdir() if entry.name.isdecimal()]
    assert len(numbered) >= 2
    for version in numbered:
        assert {entry.name for entry in version.iterdir()} == complete


# TensorFlow is loaded once for both commands.
SHOW_AND_RUN = """
import json, sys
from tensorflow.python.tools import saved_model_cli
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["saved_model_cli", *arguments]
    try:
        saved_model_cli.main()
    except SystemExit as end:
        assert not end.code, end.code
"""


@pytest.mark.slow
def test_saved_model_cli_shows_and_runs_it(exported, tmp_path):
    np.save(tmp_path / "x.npy", np.eye(3, 5, dtype="float32"))
    of_model = ["--dir", str(exported), "--tag_set", "serve", "--signature_def"]
    show = ["show", *of_model, "serving_default"]
    run = ["run", *of_model, "classify", "--inputs", f"x={tmp_path / 'x.npy'}"]
    command = [sys.executable, "-c", SHOW_AND_RUN, json.dumps([show, run])]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "shape: (-1, 5)" in result.stdout
    assert "b'crow' b'gull' b'robin'" in result.stdout


@pytest.mark.usefixtures("without_beams")
@pytest.mark.slow
def test_command_line(trained, tmp_path, capsys):
    from interpnet_tf import runs
    from interpnet_tf.cli import main
    from interpnet_tf.support.atomic import write_atomically

    run = tmp_path / "run"
    config = runs.RunConfig("cub", root="/somewhere/private")
    write_atomically(run / "config.json", json.dumps(vars(config)))
    write_atomically(run / "metrics-test.json", json.dumps({"rows": {"interpnet-2": 1}}))
    trained.save(run / "model.keras")
    out = str(tmp_path / "birds" / "1")
    assert main(["export", str(run), out, "--max-batch-size", "2"]) == 0
    card = json.loads(Path(out, "model_card.json").read_text())
    assert card["warmup"]["batch_sizes"] == [1, 2]
    assert card["training"]["variant"] == "interpnet-2"
    assert card["metrics"] == {"test": {"rows": {"interpnet-2": 1}}}
    assert "private" not in json.dumps(card)
    assert main(["export", str(run), out]) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main(["export", str(run), out, "--overwrite"]) == 0
    assert main(["export", str(run), out, "--quantize", "int8"]) == 2
    assert "--format litert" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not CUB.exists(), reason="needs CUB-200-2011 beside the repository")
def test_64_photographs_of_cub(tmp_path):
    from interpnet_tf.data import cub

    train, test = (cub.load(CUB, split) for split in ("train", "test"))
    keras.utils.set_random_seed(0)
    classifier = classifiers.mlp(train.inputs.shape[1], len(train.class_names), (64,), seed=0)
    classifier.compile("adam", "sparse_categorical_crossentropy")
    classifier.fit(train.inputs, train.labels, epochs=4, verbose=0)
    told = [index for index, sentences in enumerate(train.explanations) if sentences][::4]
    sentences = [train.explanations[index] for index in told]
    tokenizer = ExplanationTokenizer(minimum_count=3).adapt(sentences)
    decoder = LRCNDecoder(tokenizer.vocabulary_size, embedding_dim=64, units=128, seed=0)
    model = InterpNet(classifier, tokenizer, decoder=decoder, class_names=train.class_names, seed=0)
    model.compile(keras.optimizers.Adam(2e-3))
    model.fit(train.inputs[told], sentences, epochs=2, verbose=0)

    told = [index for index, sentences in enumerate(test.explanations) if sentences]
    x = test.inputs[told[:: len(told) // 64][:64]]
    requests = [(name, {"x": x}) for name in ("serving_default", "explain_top", "classify", "introspect")]
    explained, top, classified, introspected = c_api.run(model.export(tmp_path / "1"), requests, tmp_path)
    expected = model.explain(x)
    assert len(expected) == 64
    assert len({e.text for e in expected}) > 10
    assert_explains_alike(explained, expected)
    best = model.explain(x, sampler="beam", beams=5, n_best=5)
    assert [text(row) for row in top["explanations"]] == [
        [e.text, *(a.text for a in e.alternatives)] for e in best
    ]
    assert text(classified["label"]) == [e.label for e in expected]
    np.testing.assert_allclose(introspected["r"], model.introspect(x), rtol=1e-3, atol=1e-5)
