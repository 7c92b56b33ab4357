"""Runs a SavedModel through TensorFlow's C API, as a server does: without TensorFlow's Python.

`run` starts this file as a process of its own, which loads the library of the wheel with ctypes.
"""

from __future__ import annotations

import base64
import ctypes
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

# Numbers of `TF_DataType`.
TYPES = {"float32": 1, "int32": 3, "uint8": 4, "string": 7, "int64": 9, "bool": 10}
STRING_BYTES = 24  # of a `TF_TString`


class Library:
    """The C API, with the argument and result types that matter."""

    def __init__(self) -> None:
        folder = Path(importlib.util.find_spec("tensorflow").submodule_search_locations[0])
        ctypes.CDLL(str(folder / "libtensorflow_framework.so.2"), mode=ctypes.RTLD_GLOBAL)
        self._library = ctypes.CDLL(str(folder / "libtensorflow_cc.so.2"), mode=ctypes.RTLD_GLOBAL)
        pointers = "NewStatus NewGraph NewSessionOptions LoadSessionFromSavedModel GraphOperationByName"
        for name in f"{pointers} AllocateTensor TensorData StringGetDataPointer".split(" "):
            getattr(self, name).restype = ctypes.c_void_p
        for name in ("Dim", "TensorElementCount"):
            getattr(self, name).restype = ctypes.c_int64
        for name in ("TensorByteSize", "StringGetSize"):
            getattr(self, name).restype = ctypes.c_size_t
        self.Message.restype = ctypes.c_char_p

    def __getattr__(self, name: str):
        function = getattr(self._library, f"TF_{name}")
        setattr(self, name, function)
        return function


class Output(ctypes.Structure):
    """`TF_Output`: an operation and the number of its output."""

    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Session:
    """A loaded SavedModel."""

    def __init__(self, folder: str) -> None:
        self.tf = Library()
        self.status = ctypes.c_void_p(self.tf.NewStatus())
        self.graph = ctypes.c_void_p(self.tf.NewGraph())
        options = ctypes.c_void_p(self.tf.NewSessionOptions())
        tags = (ctypes.c_char_p * 1)(b"serve")
        self.session = ctypes.c_void_p(
            self.tf.LoadSessionFromSavedModel(
                options, None, folder.encode(), tags, 1, self.graph, None, self.status
            )
        )
        self._check()

    def _check(self) -> None:
        if self.tf.GetCode(self.status):
            raise RuntimeError(self.tf.Message(self.status).decode())

    def run(self, inputs: dict[str, dict], outputs: dict[str, str]) -> dict[str, dict]:
        """Feeds tensors by the names of the graph, and returns outputs under the names of the signature."""
        feeds = (Output * len(inputs))(*map(self._output, inputs))
        fetches = (Output * len(outputs))(*map(self._output, outputs.values()))
        fed = (ctypes.c_void_p * len(inputs))(*map(self._tensor, inputs.values()))
        fetched = (ctypes.c_void_p * len(outputs))()
        self.tf.SessionRun(
            self.session,
            None,
            feeds,
            fed,
            len(inputs),
            fetches,
            fetched,
            len(outputs),
            None,
            0,
            None,
            self.status,
        )
        for tensor in fed:
            self.tf.DeleteTensor(ctypes.c_void_p(tensor))
        self._check()
        return {name: self._value(ctypes.c_void_p(t)) for name, t in zip(outputs, fetched, strict=True)}

    def _output(self, tensor_name: str) -> Output:
        name, index = tensor_name.split(":")
        operation = self.tf.GraphOperationByName(self.graph, name.encode())
        assert operation, f"the graph has no operation {name}"
        return Output(operation, int(index))

    def _tensor(self, value: dict) -> int:
        shape = (ctypes.c_int64 * len(value["shape"]))(*value["shape"])
        data = [base64.b64decode(part) for part in value["data"]]
        size = STRING_BYTES * len(data) if value["dtype"] == "string" else len(data[0])
        tensor = self.tf.AllocateTensor(TYPES[value["dtype"]], shape, len(shape), ctypes.c_size_t(size))
        begin = self.tf.TensorData(ctypes.c_void_p(tensor))
        if value["dtype"] == "string":
            for index, part in enumerate(data):
                string = ctypes.c_void_p(begin + STRING_BYTES * index)
                self.tf.StringInit(string)
                self.tf.StringCopy(string, part, ctypes.c_size_t(len(part)))
        else:
            ctypes.memmove(begin, data[0], size)
        return tensor

    def _value(self, tensor: ctypes.c_void_p) -> dict:
        names = {number: name for name, number in TYPES.items()}
        dtype = names[self.tf.TensorType(tensor)]
        shape = [self.tf.Dim(tensor, axis) for axis in range(self.tf.NumDims(tensor))]
        begin = self.tf.TensorData(tensor)
        if dtype == "string":
            data = []
            for index in range(self.tf.TensorElementCount(tensor)):
                string = ctypes.c_void_p(begin + STRING_BYTES * index)
                size = self.tf.StringGetSize(string)
                data.append(ctypes.string_at(self.tf.StringGetDataPointer(string), size))
        else:
            data = [ctypes.string_at(begin, self.tf.TensorByteSize(tensor))]
        self.tf.DeleteTensor(tensor)
        return {"dtype": dtype, "shape": shape, "data": [base64.b64encode(part).decode() for part in data]}


def main(folder: str, requests: str, answers: str) -> None:
    session = Session(folder)
    results = []
    for request in json.loads(Path(requests).read_text()):
        try:
            results.append(session.run(request["inputs"], request["outputs"]))
        except RuntimeError as error:
            results.append({"error": str(error)})
    assert "tensorflow" not in sys.modules
    Path(answers).write_text(json.dumps(results))


def signature_defs(folder) -> dict:
    """Returns the signatures of a SavedModel, as the file says."""
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((Path(folder) / "saved_model.pb").read_bytes())
    signatures = saved.meta_graphs[0].signature_def
    return {name: signatures[name] for name in signatures if not name.startswith("__")}


def run(folder, requests, scratch) -> list[dict]:
    """Runs requests in a process without TensorFlow's Python.

    Args:
        folder: of the SavedModel.
        requests: pairs of a signature's name and its inputs, arrays by name.
        scratch: a folder for the exchange of data.

    Returns:
        For each request the outputs, arrays by name (strings as bytes), or the `RuntimeError`.
    """
    import numpy as np

    signatures, encoded = signature_defs(folder), []
    for name, inputs in requests:
        signature = signatures[name]
        fed = {}
        for key, values in inputs.items():
            array = np.asarray(values)
            strings = array.dtype.kind in "OS"
            data = array.ravel().tolist() if strings else [array.tobytes()]
            fed[signature.inputs[key].name] = {
                "dtype": "string" if strings else array.dtype.name,
                "shape": list(array.shape),
                "data": [base64.b64encode(part).decode() for part in data],
            }
        fetched = {key: info.name for key, info in signature.outputs.items()}
        encoded.append({"inputs": fed, "outputs": fetched})
    (scratch / "requests.json").write_text(json.dumps(encoded))
    paths = [str(folder), str(scratch / "requests.json"), str(scratch / "answers.json")]
    result = subprocess.run(
        [sys.executable, __file__, *paths], capture_output=True, text=True, timeout=600, check=False
    )
    assert result.returncode == 0, result.stderr

    def decoded(value: dict):
        data = [base64.b64decode(part) for part in value["data"]]
        array = (
            np.array(data, object) if value["dtype"] == "string" else np.frombuffer(data[0], value["dtype"])
        )
        return array.reshape(value["shape"])

    answers = json.loads((scratch / "answers.json").read_text())
    return [
        RuntimeError(answer["error"])
        if "error" in answer
        else {name: decoded(value) for name, value in answer.items()}
        for answer in answers
    ]


if __name__ == "__main__":
    main(*sys.argv[1:])
