"""The examples that a training learns from."""
