"""From counts to masks: normalisation, devices, models and the segmenter."""
