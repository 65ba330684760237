"""Masks in label TIFF, label PNG, NIfTI and DICOM segmentation files."""
