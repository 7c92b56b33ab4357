"""The reader of PyTorch checkpoints: right numbers, and nothing that is run."""

import collections
import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from interpnet_tf.backbones.torch_checkpoint import read_state_dict


class _Global:
    """Pickles as a name of a module that need not exist here."""

    def __init__(self, module, name):
        self.module, self.name = module, name


class _Call:
    """Pickles as the call of something, as `torch.save` writes a tensor."""

    def __init__(self, function, *arguments):
        self.function, self.arguments = function, arguments


class _Storage:
    def __init__(self, key, array, kind="FloatStorage"):
        self.key, self.array, self.kind = key, array, kind


def _pickle(value, protocol=2):
    """Writes what `pickle` would write if torch were installed: its own pickler looks every name up."""

    class Pickler(pickle._Pickler):
        dispatch = pickle._Pickler.dispatch.copy()

        def save_global_name(self, value):
            self.write(pickle.GLOBAL + f"{value.module}\n{value.name}\n".encode())

        def save_call(self, value):
            self.save(value.function)
            self.save(tuple(value.arguments))
            self.write(pickle.REDUCE)

        def persistent_id(self, value):
            if isinstance(value, _Storage):
                return ("storage", _Global("torch", value.kind), value.key, "cpu", value.array.size, None)
            return None

    Pickler.dispatch[_Global] = Pickler.save_global_name
    Pickler.dispatch[_Call] = Pickler.save_call
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


def _tensor(storage, shape, strides, offset=0):
    rebuild = _Global("torch._utils", "_rebuild_tensor_v2")
    return _Call(rebuild, storage, offset, shape, strides, False, collections.OrderedDict())


def _state():
    one = _Storage("1", np.arange(6, dtype="float32"))
    two = _Storage("2", np.array([7], dtype="int64"), "LongStorage")
    state = {
        "weight": _tensor(one, (2, 3), (3, 1)),
        "transposed": _tensor(one, (3, 2), (1, 3)),
        "tail": _tensor(one, (2,), (2,), offset=3),
        "count": _tensor(two, (), ()),
    }
    return state, [one, two]


def _write_legacy(path, state, storages, keys=None):
    with path.open("wb") as file:
        for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
            file.write(pickle.dumps(part, 2))
        file.write(_pickle(state))
        file.write(pickle.dumps(keys or [storage.key for storage in storages], 2))
        for storage in storages:
            file.write(storage.array.size.to_bytes(8, "little") + storage.array.tobytes())
    return path


def _write_zip(path, state, storages, byteorder=b"little"):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", _pickle(state))
        archive.writestr("model/byteorder", byteorder)
        for storage in storages:
            archive.writestr(f"model/data/{storage.key}", storage.array.tobytes())
    return path


@pytest.mark.parametrize("write", [_write_legacy, _write_zip])
def test_tensors_are_read_with_their_strides(write, tmp_path):
    state = read_state_dict(write(tmp_path / "a.pth", *_state()))
    assert list(state) == ["weight", "transposed", "tail", "count"]
    np.testing.assert_array_equal(state["weight"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(state["transposed"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(state["tail"], [3, 5])
    assert state["weight"].dtype == "float32"
    assert state["count"].dtype == "int64"
    assert state["count"] == 7


@pytest.mark.parametrize("write", [_write_legacy, _write_zip])
@pytest.mark.parametrize(
    ("module", "name"), [("os", "system"), ("builtins", "eval"), ("torch", "load"), ("collections", "deque")]
)
def test_a_malicious_file_is_refused_by_name_and_runs_nothing(write, module, name, tmp_path):
    mark = tmp_path / "ran"
    argument = f"touch {mark}" if module == "os" else f"open({str(mark)!r}, 'w')"
    state = {"weight": _Call(_Global(module, name), argument)}
    with pytest.raises(ValueError, match=rf"{module}\.{name}, which a state dict does not need"):
        read_state_dict(write(tmp_path / "evil.pth", state, []))
    assert not mark.exists()


def test_the_evil_file_would_run_in_an_ordinary_unpickler(tmp_path):
    mark = tmp_path / "ran"
    data = _pickle({"weight": _Call(_Global("os", "system"), f"touch {mark}")})
    pickle.loads(data.replace(b"cos\n", f"c{os.name}\n".encode()))
    assert mark.exists()


@pytest.mark.parametrize("write", [_write_legacy, _write_zip])
@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [
        ((2, 3), (3, 2), 0),
        ((7,), (1,), 0),
        ((2,), (-1,), 0),
        ((6,), (1,), 1),
        ((2,), (1,), -1),
        ((-1,), (1,), 0),
    ],
)
def test_a_tensor_outside_of_its_storage_is_refused(write, shape, strides, offset, tmp_path):
    storage = _Storage("1", np.arange(6, dtype="float32"))
    path = write(tmp_path / "a.pth", {"w": _tensor(storage, shape, strides, offset)}, [storage])
    with pytest.raises(ValueError, match="does not lie in its storage of 6 numbers"):
        read_state_dict(path)


@pytest.mark.parametrize("write", [_write_legacy, _write_zip])
@pytest.mark.parametrize("state", [{"epoch": 3}, [1], {"optimizer": {"lr": 1.0}}, {3: 4}])
def test_what_is_not_a_state_dict_is_refused(write, state, tmp_path):
    with pytest.raises(ValueError, match="expected"):
        read_state_dict(write(tmp_path / "a.pth", state, []))


@pytest.mark.parametrize("write", [_write_legacy, _write_zip])
def test_a_cut_file_is_refused_at_every_length(write, tmp_path):
    whole = write(tmp_path / "a.pth", *_state()).read_bytes()
    cut = tmp_path / "cut.pth"
    for length in range(0, len(whole), 7):
        cut.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.pth cannot be read"):
            read_state_dict(cut)


def test_a_missing_and_a_big_endian_file_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        read_state_dict(tmp_path / "none.pth")
    with pytest.raises(ValueError, match="big-endian"):
        read_state_dict(_write_zip(tmp_path / "a.pth", *_state(), byteorder=b"big"))


def test_it_reads_what_torch_writes(tmp_path):
    torch = pytest.importorskip("torch")
    state = {"w": torch.randn(4, 3).t(), "n": torch.tensor(5), "h": torch.ones(2, dtype=torch.float16)}
    for new in (True, False):
        path = tmp_path / f"{new}.pth"
        torch.save(state, path, _use_new_zipfile_serialization=new)
        for name, array in read_state_dict(path).items():
            np.testing.assert_array_equal(array, state[name].numpy())
