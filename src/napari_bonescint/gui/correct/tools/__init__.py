"""The annotation tools on the canvas and their buttons."""
