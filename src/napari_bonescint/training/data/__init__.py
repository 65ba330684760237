"""Training data: cases, random examples and batches."""
