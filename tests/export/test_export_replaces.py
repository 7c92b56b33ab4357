"""`export --overwrite` never loses the only good model, whenever it is killed."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from interpnet_tf.export import saved_model


def export(path, content):
    """What `export_saved_model` does around the writing of a version."""
    with saved_model._appearing_whole(path, overwrite=True) as folder:
        (folder / "saved_model.pb").write_text(content)


def killed_before_step(step, path):
    """Runs an export in a process that is killed before it renames or removes something the n-th time."""
    if (child := os.fork()) == 0:
        left = step

        def killing(function):
            def call(*arguments, **options):
                nonlocal left
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                left -= 1
                return function(*arguments, **options)

            return call

        Path.rename, shutil.rmtree = killing(Path.rename), killing(shutil.rmtree)
        export(path, "new")
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("next_export", ["fails", "ends well"])
@pytest.mark.parametrize("step", range(5))
def test_killed_at_any_step(tmp_path, step, next_export):
    path = tmp_path / "1"
    export(path, "good")
    was_killed = killed_before_step(step, path)
    # Two renames, then what was set aside and the temporary folder are removed.
    assert was_killed == (step < 4)
    if next_export == "fails":
        with pytest.raises(OSError, match="full"), saved_model._appearing_whole(path, overwrite=True):
            raise OSError("the disk is full")
        assert (path / "saved_model.pb").read_text() == ("good" if step < 2 else "new")
    else:
        export(path, "newest")
        assert (path / "saved_model.pb").read_text() == "newest"
    assert list(tmp_path.iterdir()) == [path]


def test_a_rename_that_fails_brings_the_old_model_back(tmp_path, monkeypatch):
    path, rename = tmp_path / "1", Path.rename
    export(path, "good")

    def failing(self, target):
        if self.name.startswith(".1.") and not self.name.endswith(".replaced"):
            raise OSError("the disk is gone")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(OSError, match="the disk is gone"):
        export(path, "new")
    assert (path / "saved_model.pb").read_text() == "good"
    assert list(tmp_path.iterdir()) == [path]
