"""What the server tells of its model: the state of its versions, and its signatures."""

from __future__ import annotations

import grpc
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from interpnet_tf.serving.errors import ServingError
from interpnet_tf.serving.versions import ModelVersions


def model_status(
    versions: ModelVersions, version: int | None = None, label: str | None = None
) -> get_model_status_pb2.GetModelStatusResponse:
    """Returns the states of all versions, or of one.

    Raises:
        ServingError: if there is none.
    """
    if label is not None:
        with versions.hold(label=label) as (number, _):
            version = number
    known = sorted(versions.versions, reverse=True) if version is None else [version]
    if not known or any(number not in versions.versions for number in known):
        what = f"version {version} of" if version is not None else "any versions of"
        raise ServingError(
            grpc.StatusCode.NOT_FOUND,
            f"Could not find {what} model {versions.name}; available: {versions.available}",
        )
    response = get_model_status_pb2.GetModelStatusResponse()
    for number in known:
        state = response.model_version_status.add()
        state.version = number
        state.state = get_model_status_pb2.ModelVersionStatus.State.Value(versions.versions[number].state)
        if error := versions.versions[number].error:
            state.status.error_code = error.code.value[0]
            state.status.error_message = error.message
        else:
            state.status.SetInParent()
    return response


def model_metadata(
    versions: ModelVersions, version: int | None = None, label: str | None = None
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """Returns the signatures of a version.

    Raises:
        ServingError: if it is not loaded.
    """
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    with versions.hold(version, label) as (number, servable):
        response.model_spec.name = versions.name
        response.model_spec.version.value = number
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in servable.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        response.metadata["signature_def"].Pack(signatures)
    return response
