"""Reports of one scan: pages for people, and DICOM objects for an archive."""
