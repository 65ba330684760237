"""The training loop: losses, optimiser steps, validation, checkpoints."""
