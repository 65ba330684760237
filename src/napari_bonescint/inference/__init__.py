"""From counts to masks: normalisation, devices, models and the segmenter. No Qt, no napari."""
