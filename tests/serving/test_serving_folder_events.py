"""After any sequence of events in the folder of a model, the newest version that loads is served."""

import asyncio
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from serving_models import Loaded, put

from interpnet_tf.serving.versions import ModelVersions

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["good", "broken", "vanishing", "remove", "file", "empty", "loop", "away", "look"]),
        st.sampled_from(["1", "2", "3", "03"]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(EVENTS)
def test_after_any_sequence_of_events_the_newest_that_loads_is_served(events):
    open_ones = []

    def load(path):
        kind = (path / "saved_model.pb").read_text()
        if kind == "vanishing":
            shutil.rmtree(path)
            raise StopIteration
        if kind == "broken":
            raise ValueError(kind)
        return Loaded(path, open_ones)

    def clear(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def happen(folder, event, name):
        path = folder / name
        if event == "away":
            shutil.rmtree(folder, ignore_errors=True)
            return
        folder.mkdir(exist_ok=True)
        if event != "look":
            clear(path)
        if event in ("good", "broken", "vanishing", "empty"):
            path.mkdir()
            if event != "empty":
                (path / "saved_model.pb").write_text(event)
        elif event == "file":
            path.write_text("a file")
        elif event == "loop":
            path.symlink_to(path)

    async def work(folder):
        versions = ModelVersions("birds", folder, load)
        for event, name in events:
            happen(folder, event, name)
            await versions.refresh()
        put(folder, 9)
        (folder / "9" / "saved_model.pb").write_text("good")
        for _ in range(3):
            await versions.refresh()
        assert versions.available == [9]
        assert len(open_ones) == 1
        shutil.rmtree(folder)
        put(folder, 4)
        for _ in range(3):
            await versions.refresh()
        assert versions.available == [4]
        await versions.close()
        assert open_ones == []

    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(work(Path(scratch) / "birds"))
