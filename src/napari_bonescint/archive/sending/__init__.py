"""Results on their way to archives."""
