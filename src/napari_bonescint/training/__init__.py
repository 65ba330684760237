"""Training networks: data, the training loop, and runs in their folders."""
