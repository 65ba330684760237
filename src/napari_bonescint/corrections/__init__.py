"""The label store: scans, what models say about them, and what people made of it; only ever added to."""
