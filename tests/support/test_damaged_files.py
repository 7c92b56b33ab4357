"""Whatever happens to a file, its reader says so with an error of ours, and never with a library's own."""

import functools
import io
import json
import pickle
import re
import zipfile

import keras
import numpy as np
import pytest

import interpnet_tf as itf
from interpnet_tf.backbones.principal_components import PrincipalComponents
from interpnet_tf.backbones.torch_checkpoint import read_state_dict
from interpnet_tf.data import cub, records
from interpnet_tf.data.feature_files import read_features
from interpnet_tf.experiments.table1.results import Result, Results
from interpnet_tf.experiments.table1.sentences import Said
from interpnet_tf.runs import config as run_config
from interpnet_tf.support.array_files import read_array
from interpnet_tf.support.errors import UnreadableFileError
from interpnet_tf.support.json_files import read_as
from interpnet_tf.support.keras_files import read_model
from interpnet_tf.training import training_state


def strangers():
    """Contents that a file of any kind may turn out to have."""
    npy, npz, archive = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(npy, np.arange(3))
    np.savez(npz, features=np.array(["a", "b"]), mean=np.ones((1, 1, 1)), record=np.arange(3))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("config.json", "[]")
        file.writestr("a/data.pkl", pickle.dumps({"a": [1, 2]}, 2))
    huge = (
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999,), }".ljust(
            127
        )
    )
    yield from (
        b"",
        b"\0" * 300,
        b"\xff\xfe\x00",
        b"a bird",
        npy.getvalue(),
        npz.getvalue(),
        archive.getvalue(),
    )
    yield from (huge + b"\n", pickle.dumps([1, 2]), b"\x89HDF\r\n\x1a\n" + b"\1" * 90)
    yield from (
        b"[" * 100_000 + b"]" * 100_000,
        b'{"label": ' * 50_000,
        b"[]",
        b"null",
        b"9" * 5000,
        b'{"a": NaN}',
    )
    nested = b'{"label": "a", "features": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    yield from (
        nested,
        b'{"label": "a", "features": [' + b"9" * 400 + b"]}",
        b'{"label": ' + b"9" * 5000 + b"}",
    )


def damages(content, places):
    """Yields what may become of a file's content: cut, with another byte, or quite another file."""
    steps = range(0, len(content), max(1, len(content) // places))
    for at in steps:
        yield content[:at]
        yield content[:at] + bytes([content[at] ^ 0x5A]) + content[at + 1 :]
        yield content[:at] + bytes([content[at] ^ 0x01]) + content[at + 1 :]
    yield from strangers()


def check(path, read, content, places=60):
    """Asserts that a reader takes the content, and that of its damages none ends in a foreign error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    read()
    messages = []
    for damaged in damages(content, places):
        path.write_bytes(damaged)
        try:
            read()
        except (ValueError, OSError) as error:
            messages.append(str(error))
    assert all(message.strip() for message in messages)
    assert len(messages) > len(list(strangers())) / 2


@pytest.fixture(scope="module")
def keras_file(make_model, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "model.keras"
    make_model().save(path)
    return path.read_bytes()


def test_a_model(keras_file, tmp_path):
    path = tmp_path / "model.keras"
    check(path, lambda: itf.load(path), keras_file, places=20)


def test_every_byte_of_the_weights_counts(keras_file, tmp_path):
    """HDF5 would read other numbers, or end the process."""
    path = tmp_path / "model.keras"
    begin = keras_file.index(b"\x89HDF")
    for at in np.linspace(begin, begin + len(keras_file) // 2, 20).astype(int):
        path.write_bytes(keras_file[:at] + bytes([keras_file[at] ^ 1]) + keras_file[at + 1 :])
        with pytest.raises(UnreadableFileError, match=r"its part 'model\.weights\.h5' is damaged"):
            read_model(path)


def test_a_model_with_another_configuration(keras_file, tmp_path):
    """The archive is whole, and what it says cannot be built."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(io.BytesIO(keras_file)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    changes = [
        {},
        [],
        {**config, "config": None},
        {**config, "config": {}},
        {**config, "class_name": "NoSuchClass", "registered_name": None},
        {**config, "config": {**config["config"], "layers": ["nowhere"]}},
        {**config, "config": {**config["config"], "tokenizer": {"vocabulary": [1, 2]}}},
        {**config, "config": {**config["config"], "decoder": "none"}},
        {**config, "config": {**config["config"], "of_a_newer_version": 1}},
    ]
    for change in changes:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in {**parts, "config.json": json.dumps(change).encode()}.items():
                archive.writestr(name, content)
        with pytest.raises(UnreadableFileError, match=r"model\.keras cannot be read as a Keras model"):
            itf.load(path)


def test_a_model_of_a_newer_keras(keras_file, tmp_path):
    """Keras reads what older versions wrote, and not the other way round."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(io.BytesIO(keras_file)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts |= {"metadata.json": b'{"keras_version": "4.0.0"}', "config.json": b"{}"}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    advice = rf"Keras 4\.0\.0 wrote it, and this is Keras {re.escape(keras.__version__)}: install that one"
    with pytest.raises(UnreadableFileError, match=advice):
        read_model(path)


def test_the_config_of_a_run(tmp_path):
    path = tmp_path / "config.json"
    content = json.dumps({"data": "sketchbirds", "epochs": 3, "options": {"per_species": 2}}).encode()
    check(path, lambda: run_config.read_config(tmp_path), content)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"new": 1}, "this version knows no field new"),
        ({"data": 5}, "data must be str, got 5"),
        ({"epochs": "3"}, "epochs must be int, got '3'"),
        ({"epochs": True}, "epochs must be int, got True"),
        ({"learning_rate": []}, "learning_rate must be float, got"),
        ({"root": 1}, r"root must be str \| None, got 1"),
        ({"options": ["a"]}, r"options must be dict\[str, Any\], got"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"variant": "best"}, "`variant` must be one of"),
    ],
)
def test_a_config_that_is_wrong_names_the_field(tmp_path, change, message):
    (tmp_path / "config.json").write_text(json.dumps({"data": "sketchbirds", **change}))
    with pytest.raises(UnreadableFileError, match=rf"config\.json cannot be read as .*\({message}"):
        run_config.read_config(tmp_path)


def test_a_config_that_lacks_a_field(tmp_path):
    (tmp_path / "config.json").write_text('{"epochs": 3, "learning_rate": 1e-3}')
    with pytest.raises(UnreadableFileError, match="it lacks the field data"):
        run_config.read_config(tmp_path)
    (tmp_path / "config.json").write_text(
        '{"data": "cub", "root": null, "warmup_epochs": 1, "schedule": "cosine"}'
    )
    assert run_config.read_config(tmp_path) == run_config.RunConfig(
        "cub", warmup_epochs=1.0, schedule="cosine"
    )


def test_a_tokenizer(tmp_path):
    path = tmp_path / "tokenizer.json"
    itf.ExplanationTokenizer().adapt(["a red bird.", "größe"]).save(path)
    check(path, lambda: itf.ExplanationTokenizer.load(path), path.read_bytes())


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_records(tmp_path, suffix):
    path = tmp_path / f"birds.{suffix}"
    contents = {
        "csv": 'features,label,explanations\n0.5 1,gull,"a white bird.|it swims."\n2 3,crow,größe.\n',
        "jsonl": '{"features": [0.5, 1], "label": "gull", "explanations": ["a bird."]}\n'
        '{"features": [2, 3], "label": 7, "explanation": "größe."}\n',
    }
    check(path, lambda: records.load(path), contents[suffix].encode())


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_arrays(tmp_path, suffix):
    path = tmp_path / f"bird.{suffix}"
    if suffix == "npy":
        np.save(path, np.arange(40.0).reshape(2, 20))
    else:
        np.savez_compressed(path, features=np.arange(40.0).reshape(2, 20), ids=["a", "b"])
    check(path, lambda: read_array(path, "features"), path.read_bytes(), places=60)


def test_features(tmp_path):
    path = tmp_path / "birds.npz"
    np.savez(path, features=np.arange(8.0).reshape(2, 4), ids=["a", "b"])
    check(path, lambda: read_features(path, ["b", "a"], "birds.csv"), path.read_bytes(), places=60)


def test_a_basis(tmp_path):
    path = tmp_path / "basis.npz"
    features = np.random.default_rng(0).normal(size=(5, 4))
    PrincipalComponents.fit(features, 2).save(path)
    check(path, lambda: PrincipalComponents.read(path)(features), path.read_bytes(), places=60)


def test_the_state_of_a_training(tmp_path, make_model):
    path = tmp_path / "epoch-0000.npz"
    model = make_model()
    model.compile("adam")
    model.optimizer.build(model.trainable_variables)
    training_state.write(path, model, {"history": []})
    check(path, functools.partial(training_state.read, path), path.read_bytes())


def test_a_pytorch_checkpoint(tmp_path):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({}, 2))
        archive.writestr("a/data/0", b"\0" * 60)
    check(path, lambda: read_state_dict(path), path.read_bytes(), places=60)


def test_results_of_the_table(tmp_path):
    results = Results(tmp_path)
    results.write(
        Result("interpnet-2", 0, {"epochs": 3}, {"meteor": None, "bleu_4": 1}, {"meteor": [0.5]}, {})
    )
    path = results.path("interpnet-2", 0)
    check(path, results.all, path.read_bytes())


def test_sentences_of_the_table(tmp_path):
    path = tmp_path / "said.json"
    content = json.dumps(
        vars(Said({"epochs": 3}, {"a": 1.0}, 3, False, [{"id": "a", "sentence": "a bird."}]))
    )
    check(path, lambda: read_as(Said, path, "sentences", "say them anew"), content.encode())


def test_lists_of_cub(tmp_path):
    path = tmp_path / "images.txt"
    check(path, lambda: cub.read_list(path, r"\S.*", "<id> <name>"), "1 a/größe.jpg\n2 a/b.jpg\n".encode())
