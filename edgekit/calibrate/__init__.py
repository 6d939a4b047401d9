"""Ranges of activations from unlabeled data, and the corrections that go with them."""
