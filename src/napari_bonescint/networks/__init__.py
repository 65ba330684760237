"""Network architectures, one file for each; `zoo` lists them by name."""
