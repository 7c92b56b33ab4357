"""The embedded server: TensorFlow Serving's REST and gRPC API, for development and small sites."""
