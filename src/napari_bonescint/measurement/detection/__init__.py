"""Finding hot spots: probabilities of each pixel, and connected hot pixels."""
