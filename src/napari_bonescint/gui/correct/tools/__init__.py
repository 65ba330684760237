"""The correction tools on the canvas, and their buttons."""
