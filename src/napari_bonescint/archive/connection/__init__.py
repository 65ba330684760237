"""Connections to archives, by HTTP and by DICOM's own protocol: encrypted, limited, and ended in time."""
