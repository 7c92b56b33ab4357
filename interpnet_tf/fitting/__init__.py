"""What `InterpNet.fit` is made of: the words' loss, Keras' training verbs, Adam in one pass."""
