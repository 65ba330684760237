"""The training loop: losses, steps, validation, checkpoints."""
