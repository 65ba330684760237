"""Correction of masks: the label store, the order of work, checks of masks, and the correction tools."""
