"""The schedules step by step, and training that is interrupted and resumed."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from interpnet_tf.data.dataset import ExplanationDataset
from interpnet_tf.runs import RunConfig
from interpnet_tf.training import train_classifier, train_explainer, training_state
from interpnet_tf.training.checkpoints import Checkpoints
from interpnet_tf.training.schedules import PaperSchedule, warmup_cosine

# The schedule, on a model whose validation losses are written down


class Scripted(keras.Model):
    """A model of one weight, which holds the number of the epoch; its validation loss follows a script."""

    def __init__(self, val_losses):
        super().__init__()
        self.val_losses = list(val_losses)
        self.weight = self.add_weight(name="weight", initializer="zeros")
        self.built = True

    def call(self, inputs):
        return inputs

    def train(self, schedule, initial_epoch=0, fails_in=None) -> "Scripted":
        """Does what Keras' `fit` does with a callback."""
        schedule.set_model(self)
        schedule.set_params({"epochs": len(self.val_losses)})
        self.stop_training = False
        schedule.on_train_begin()
        for epoch in range(initial_epoch, len(self.val_losses)):
            if self.stop_training:
                break
            self.weight.assign(epoch)
            if epoch == fails_in:
                return self
            schedule.on_epoch_end(epoch, {"loss": 0.0, "val_loss": self.val_losses[epoch]})
        schedule.on_train_end()
        return self


def scripted(*val_losses) -> Scripted:
    model = Scripted(val_losses)
    model.compile(keras.optimizers.SGD(0.8))
    model.optimizer.build(model.trainable_variables)
    return model


def rates(schedule) -> list[float]:
    return [round(logs["learning_rate"], 6) for logs in schedule.history]


@pytest.fixture(params=["memory", "directory"])
def directory(request, tmp_path):
    return None if request.param == "memory" else tmp_path / "checkpoints"


def test_rate_halves_whenever_validation_does_not_improve(directory):
    schedule = PaperSchedule(stop_after=4, directory=directory)
    model = scripted(3.0, 2.0, 2.0, 2.5, 1.0, 1.5).train(schedule)
    # Epochs 2 (no better than epoch 1), 3 and 5 do not improve. The rate of an epoch is the one it ran at.
    assert rates(schedule) == [0.8, 0.8, 0.8, 0.4, 0.2, 0.2]
    assert float(model.weight) == 4  # the weights of epoch 4, the best, are back
    assert (schedule.best, schedule.best_epoch, schedule.stopped) == (1.0, 4, False)


def test_patience_and_factor(directory):
    schedule = PaperSchedule(factor=0.25, patience=2, stop_after=9, directory=directory)
    scripted(1.0, 2.0, 2.0, 2.0, 2.0, 0.5, 2.0, 2.0).train(schedule)
    assert rates(schedule) == [0.8, 0.8, 0.8, 0.2, 0.2, 0.05, 0.05, 0.05]


def test_cool_down_halves_the_rate_of_the_last_epochs(directory):
    schedule = PaperSchedule(cool_down=2, directory=directory)
    scripted(5.0, 6.0, 4.0, 3.0, 3.5).train(schedule)
    # Epoch 1 does not improve, so epoch 2 has half the rate; epochs 3 and 4, the last two, halve it again.
    assert rates(schedule) == [0.8, 0.8, 0.4, 0.2, 0.1]


def test_stops_after_epochs_without_improvement(directory):
    schedule = PaperSchedule(stop_after=2, directory=directory)
    model = scripted(2.0, 1.0, 1.5, 1.2, 0.1, 0.1).train(schedule)
    assert len(schedule.history) == 4
    assert schedule.stopped
    assert float(model.weight) == 1


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_training_that_diverges_stops_and_brings_the_best_back(directory, loss):
    schedule = PaperSchedule(stop_after=2, directory=directory)
    model = scripted(1.0, loss, 0.5).train(schedule)
    assert len(schedule.history) == 2
    assert schedule.stopped
    assert float(model.weight) == 0


def test_a_training_that_diverges_at_once_says_so(directory):
    with pytest.raises(ValueError, match="val_loss is nan after epoch 1: the training has diverged"):
        scripted(math.nan).train(PaperSchedule(directory=directory))


def test_checkpoints_of_another_training_are_not_overwritten(tmp_path):
    scripted(2.0, 1.0).train(PaperSchedule(directory=tmp_path))
    with pytest.raises(ValueError, match=r"holds checkpoints of another training; continue it with"):
        scripted(2.0, 1.0).train(PaperSchedule(directory=tmp_path))


def test_checkpoints_alone_leave_rate_and_end_to_others(directory):
    checkpoints = Checkpoints(directory=directory)
    model = scripted(2.0, 1.0, *[3.0] * 6).train(checkpoints)
    assert rates(checkpoints) == [0.8] * 8
    assert not checkpoints.stopped
    assert float(model.weight) == 1


def test_checkpoints_alone_end_a_training_that_diverges(directory):
    checkpoints = Checkpoints(directory=directory)
    model = scripted(2.0, math.nan, 1.0).train(checkpoints)
    assert (len(checkpoints.history), checkpoints.stopped, float(model.weight)) == (2, True, 0)


def test_the_rate_of_an_optimizer_with_a_schedule_is_not_halved():
    model = scripted(1.0, 2.0)
    model.compile(keras.optimizers.SGD(warmup_cosine(0.8, 10)))
    with pytest.raises(TypeError, match="LearningRateSchedule"):
        model.train(PaperSchedule())


def test_warmup_and_cosine_by_hand():
    rate = warmup_cosine(0.6, steps=8, warmup_steps=2)
    # Two steps of the warm-up at 1/3 and 2/3 of the peak, then 0.3 (1 + cos 0), 0.3 (1 + cos 30°), … 150°.
    root = math.sqrt(3) / 2
    cosines = [1, root, 0.5, 0, -0.5, -root]
    expected = [0.2, 0.4, *(0.3 * (1 + cosine) for cosine in cosines), 0.0]
    np.testing.assert_allclose([float(rate(step)) for step in range(9)], expected, atol=1e-6)
    np.testing.assert_allclose([float(warmup_cosine(0.6, 2)(step)) for step in (0, 1)], [0.6, 0.3], atol=1e-6)


def test_another_quantity_may_be_watched():
    schedule = PaperSchedule(monitor="loss")
    schedule.set_model(scripted())
    schedule.on_epoch_end(0, {"loss": 7.0})
    assert schedule.best == 7.0


def kept(directory):
    """The numbers of the epochs whose checkpoints are there."""
    return [int(path.stem.removeprefix("epoch-")) for path in sorted(directory.iterdir())]


def test_keeps_the_best_and_the_last_two_checkpoints(tmp_path):
    scripted(2.0, 1.0, 1.5, 1.3, 1.2).train(PaperSchedule(directory=tmp_path))
    assert kept(tmp_path) == [1, 3, 4]
    record, _ = training_state.read(tmp_path / "epoch-0004.npz")
    assert record["best_epoch"] == 1


def test_keeps_the_best_as_the_epoch_before_knew_it(tmp_path):
    """Else that epoch could not be gone on from where the newest checkpoint is damaged."""
    scripted(2.0, 1.0, 1.5, 1.3, 0.5).train(PaperSchedule(directory=tmp_path))
    assert kept(tmp_path) == [1, 3, 4]


@pytest.mark.parametrize("fails_in", range(1, 5))
def test_resume_goes_on_where_it_stopped(tmp_path, fails_in):
    losses = (3.0, 2.0, 2.5, 2.6, 1.0, 1.5)
    whole = PaperSchedule(stop_after=3)
    scripted(*losses).train(whole)

    scripted(*losses).train(PaperSchedule(stop_after=3, directory=tmp_path), fails_in=fails_in)
    (tmp_path / ".epoch-0007.tmp.npz").touch()  # what an interruption while writing leaves behind
    resumed, model = PaperSchedule(stop_after=3, directory=tmp_path), scripted(*losses)
    first_epoch = resumed.resume(model)
    assert first_epoch == fails_in
    assert float(model.weight) == fails_in - 1
    model.train(resumed, first_epoch)
    assert resumed.history == whole.history
    assert float(model.weight) == 4


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "another file"])
@pytest.mark.parametrize(
    ("finished", "damaged", "goes_on_with", "lines"),
    [
        (5, [4], 4, 1),
        (5, [3, 4], 2, 2),
        (5, [1, 3, 4], 0, 3),
        (5, [1, 3], 5, 0),
        (4, [1], 0, 3),  # the best of both later ones
    ],
)
def test_resume_goes_back_behind_a_damaged_checkpoint(
    tmp_path, capsys, damage, finished, damaged, goes_on_with, lines
):
    losses = (3.0, 2.0, 2.5, 2.6, 1.9, 1.5, 1.8)
    whole = PaperSchedule()
    scripted(*losses).train(whole)
    scripted(*losses).train(PaperSchedule(directory=tmp_path), fails_in=finished)
    assert kept(tmp_path) == {5: [1, 3, 4], 4: [1, 2, 3]}[finished]
    for epoch in damaged:
        path = tmp_path / f"epoch-{epoch:04d}.npz"
        content = bytearray(path.read_bytes())
        content[content.index(b"NUMPY")] ^= 1
        damages = {"cut": content[:-9], "flipped": content, "empty": b"", "another file": b"PK a bird"}
        path.write_bytes(damages[damage])
    resumed, model = PaperSchedule(directory=tmp_path), scripted(*losses)
    first_epoch = resumed.resume(model)
    assert first_epoch == goes_on_with
    told = capsys.readouterr().err.splitlines()
    assert len(told) == lines
    assert all("epoch-000" in line and "going back to the epoch before" in line for line in told)
    model.train(resumed, first_epoch)
    assert resumed.history == whole.history
    assert float(model.weight) == 5


def test_a_checkpoint_of_another_model_is_refused_and_kept(tmp_path):
    scripted(1.0).train(PaperSchedule(directory=tmp_path))
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    other.compile("adam")
    with pytest.raises(ValueError, match=r"epoch-0000\.npz holds the state of another model"):
        PaperSchedule(directory=tmp_path).resume(other)
    assert kept(tmp_path) == [0]


def test_resume_of_nothing(tmp_path):
    assert PaperSchedule(directory=tmp_path / "none").resume(scripted(1.0)) == 0
    assert PaperSchedule().resume(scripted(1.0)) == 0


def test_resume_of_a_training_that_has_stopped(tmp_path):
    scripted(1.0, 2.0, 0.5).train(PaperSchedule(stop_after=1, directory=tmp_path))
    resumed, model = PaperSchedule(stop_after=1, directory=tmp_path), scripted(1.0, 2.0, 0.5)
    first_epoch = resumed.resume(model)
    model.train(resumed, first_epoch)
    assert len(resumed.history) == 2
    assert float(model.weight) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1.0}, "factor must lie between 0 and 1, got 1.0"),
        ({"patience": 0}, "1 <= patience <= stop_after must hold, got 0 and 4"),
        ({"patience": 3, "stop_after": 2}, "got 3 and 2"),
        ({"stop_after": 0}, "got 1 and 0"),
        ({"cool_down": -1}, "cool_down must not be negative, got -1"),
    ],
)
def test_errors(options, message):
    with pytest.raises(ValueError, match=message):
        PaperSchedule(**options)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Checkpoints(stop_after=0), "stop_after must be at least 1, or None, got 0"),
        (lambda: warmup_cosine(0.1, 5, 5), "warmup_steps must lie between 0 and steps - 1 = 4, got 5"),
        (lambda: warmup_cosine(0.1, 5, -1), "got -1"),
    ],
)
def test_errors_of_the_parts(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_a_quantity_that_is_not_there():
    schedule = PaperSchedule()
    schedule.set_model(scripted())
    with pytest.raises(ValueError, match=r"monitor 'val_loss' is not among \['loss'\]; pass validation_data"):
        schedule.on_epoch_end(0, {"loss": 1.0})


# Real training


class Interrupt(keras.callbacks.Callback):
    """Presses Ctrl-C in the middle of the third epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (2, 0):
            raise KeyboardInterrupt


def check_resuming(train, directory) -> None:
    """Asserts that four epochs give the same weights with and without an interruption.

    `train(directory, callbacks)` builds everything anew, trains, and returns the model and the history.
    """
    model, history = train(directory / "whole", [])
    with pytest.raises(KeyboardInterrupt):
        train(directory / "halves", [Interrupt()])
    assert sorted(path.name for path in (directory / "halves").iterdir())[-1] == "epoch-0001.npz"
    resumed, resumed_history = train(directory / "halves", [])
    assert len(history) == len(resumed_history) == 4
    for ours, expected in zip(resumed_history, history, strict=True):
        assert ours == pytest.approx(expected, rel=1e-5)
    for ours, expected in zip(resumed.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-6)

    again, again_history = train(directory / "halves", [])  # nothing is left to do
    assert again_history == resumed_history
    for ours, expected in zip(again.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


def noisy_birds(birds: ExplanationDataset) -> ExplanationDataset:
    inputs = np.random.default_rng(5).normal(0, 1, birds.inputs.shape).astype("float32")
    return ExplanationDataset(inputs, birds.labels, birds.class_names, birds.explanations, birds.ids)


@pytest.fixture
def eagerly():
    """Small models train faster than their graphs are built."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_an_interrupted_classifier_resumes(birds, valid_birds, tmp_path, mixup):
    def train(directory, callbacks):
        keras.utils.set_random_seed(0)
        classifier = keras.Sequential(
            [
                keras.Input((5,)),
                keras.layers.Dense(8, activation="relu"),
                keras.layers.BatchNormalization(),
                keras.layers.Dropout(0.3, seed=1),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        options = {"epochs": 4, "batch_size": 4, "learning_rate": 0.01, "seed": 3, "mixup": mixup}
        history = train_classifier(
            classifier, noisy_birds(birds), valid_birds, **options, directory=directory, callbacks=callbacks
        )
        return classifier, history

    check_resuming(train, tmp_path)


@pytest.mark.parametrize(
    "options",
    [{}, {"schedule": "cosine", "warmup_epochs": 1.5, "label_smoothing": 0.1}],
    ids=["paper", "cosine"],
)
def test_an_interrupted_explainer_resumes(make_model, birds, valid_birds, tmp_path, options):
    def train(directory, callbacks):
        model = make_model(dropout=0.2)
        every = {"epochs": 4, "batch_size": 8, "learning_rate": 0.01, "directory": directory}
        history = train_explainer(model, birds, valid_birds, **every, **options, callbacks=callbacks)
        return model, history

    check_resuming(train, tmp_path)


@pytest.mark.usefixtures("eagerly")
def test_cosine_in_training(make_model, birds, valid_birds):
    """The rate at each step is that by hand, and the training goes on although validation gets worse."""
    used = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            used.append(float(self.model.optimizer.learning_rate))

    model = make_model()
    options = {"epochs": 6, "batch_size": 9, "learning_rate": 0.9, "stop_after": 1, "callbacks": [Watch()]}
    history = train_explainer(model, birds, valid_birds, **options, schedule="cosine", warmup_epochs=1)
    # 20 sentences make three batches an epoch: warm-up of 3 steps, cosine of 15.
    expected = [0.9 * (step + 1) / 4 for step in range(3)]
    expected += [0.45 * (1 + math.cos(math.pi * step / 15)) for step in range(15)]
    np.testing.assert_allclose(used, expected, rtol=1e-4)
    assert [logs["learning_rate"] for logs in history][::5] == pytest.approx([0.9, 0.0], abs=1e-6)
    val_losses = [logs["val_loss"] for logs in history]
    assert max(np.diff(val_losses)) > 0  # the paper's schedule would have stopped
    assert model.evaluate(valid_birds, verbose=0) == pytest.approx(min(val_losses), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": "linear"}, r"one of \['paper', 'cosine'\], got 'linear'"),
        ({"schedule": "cosine", "cool_down": 1}, "cool_down needs schedule 'paper', got 1 with 'cosine'"),
        ({"warmup_epochs": 1}, "warmup_epochs needs schedule 'cosine', got 1 with 'paper'"),
        ({"schedule": "cosine", "warmup_epochs": 2}, "less than epochs=2, got 2"),
        ({"schedule": "cosine", "warmup_epochs": -1}, "at least 0 and less than epochs=2, got -1"),
        ({"label_smoothing": 1.0}, "label_smoothing must be at least 0 and less than 1, got 1.0"),
    ],
)
def test_options_that_do_not_go_together(make_model, birds, valid_birds, options, message):
    with pytest.raises(ValueError, match=message):
        train_explainer(make_model(), birds, valid_birds, epochs=2, **options)
    with pytest.raises(ValueError, match=message):
        RunConfig("sketchbirds", epochs=2, **options)


def test_training_improves_and_brings_the_best_back(make_model, birds, valid_birds):
    model = make_model()
    history = train_explainer(model, birds, valid_birds, epochs=5, batch_size=8, learning_rate=0.03)
    assert set(history[0]) == {"loss", "val_loss", "learning_rate"}
    best = min(logs["val_loss"] for logs in history)
    assert best < history[0]["val_loss"] * 0.9
    assert model.evaluate(valid_birds, verbose=0) == pytest.approx(best, rel=1e-5)
