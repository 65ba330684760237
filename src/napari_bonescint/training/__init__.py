"""Train networks on simulated scans: data, loss, the fit loop and checkpoints."""
