"""Runs of the training: their folders, their state, and starting, watching and stopping them."""
