"""The panel that retrains models and compares them."""
