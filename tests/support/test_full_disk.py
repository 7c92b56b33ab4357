"""A full disk ends in an error that says so, and leaves nothing half-written. A limit on files stands in."""

import contextlib
import resource

import numpy as np
import pytest

import interpnet_tf as itf
from interpnet_tf import runs
from interpnet_tf.backbones.principal_components import PrincipalComponents
from interpnet_tf.backbones.row_file import RowFile
from interpnet_tf.export.saved_model import export_saved_model
from interpnet_tf.support.atomic import write_atomically
from interpnet_tf.training import training_state


@contextlib.contextmanager
def no_file_longer_than(size):
    """Lets writes beyond so many bytes fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def model(make_model):
    model = make_model()
    model.compile("adam")
    model.optimizer.build(model.trainable_variables)
    return model


WRITERS = {
    "record.json": lambda path, model: write_atomically(path, "x" * 9000),
    "tokenizer.json": lambda path, model: itf.ExplanationTokenizer(map(str, range(999))).save(path),
    "model.keras": lambda path, model: model.save(path),
    "epoch-0000.npz": lambda path, model: training_state.write(path, model, {}),
    "basis.npz": lambda path, model: PrincipalComponents(np.ones(99), np.ones((99, 99))).save(path),
    "1": lambda path, model: export_saved_model(model, path, overwrite=True, max_batch_size=1),
    "rows": lambda path, model: RowFile(path, (900, 9), "float32", {}),
}


@pytest.mark.parametrize("size", [0, 1, 1000, 8000])
@pytest.mark.parametrize("name", WRITERS)
def test_writers(tmp_path, model, name, size):
    if name == "1" and size not in (0, 8000):
        pytest.skip("two sizes are enough for what takes seconds")
    path = tmp_path / name
    with (
        no_file_longer_than(size),
        pytest.raises(OSError, match=r"File too large|cannot be written|no space"),
    ):
        WRITERS[name](path, model)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in WRITERS if name not in ("1", "rows")])
def test_what_was_there_stays(tmp_path, model, name, capfd):
    path = tmp_path / name
    path.write_text("good")
    with no_file_longer_than(2000), contextlib.suppress(OSError):
        WRITERS[name](path, model)
    assert path.read_text() == "good"
    assert list(tmp_path.iterdir()) == [path]
    assert capfd.readouterr().err == ""


def test_rows_that_do_not_fit_lose_none_of_those_before(tmp_path):
    rows = RowFile(tmp_path / "rows", (900, 9), "float32", {})
    rows.append(np.ones((10, 9)))
    with no_file_longer_than(1000), pytest.raises(OSError, match="too large"):
        rows.append(np.full((890, 9), 2))
    again = RowFile(tmp_path / "rows", (900, 9), "float32", {})
    assert again.done == 10
    again.append(np.full((890, 9), 3))
    np.testing.assert_array_equal(again.rows[:, 0], [1] * 10 + [3] * 890)


def test_a_training_is_resumed_when_there_is_space_again(tmp_path, birds, valid_birds):
    config = runs.RunConfig("sketchbirds", units=8, epochs=1, classifier_epochs=2, batch_size=10)
    splits = (birds, valid_birds)
    for size in (100, 3000, 40_000):  # no config; no checkpoint of the classifier; none of the explainer
        with no_file_longer_than(size), pytest.raises(OSError, match="too large"):
            runs.train(config, tmp_path / "run", resume=True, splits=splits)
        assert not list(tmp_path.rglob("*.tmp*"))
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["checkpoints", "config.json"]
    runs.train(config, tmp_path / "run", resume=True, splits=splits)
    assert "checkpoints" not in [path.name for path in (tmp_path / "run").iterdir()]
