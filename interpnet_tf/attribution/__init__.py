"""Which layer of the classifier made each word of an explanation, and its class, as probable as it is."""
