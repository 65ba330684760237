"""Archives of images (PACS): search, get scans, receive scans, and send results back.

`backends/` has one file for each kind of archive, and `opening.open_archive` maps kinds to them. All follow
`interface.Archive`. They stand on `setup/` (what the user has set up), `connection/` (by HTTP and by DICOM's own
protocol), `receiving/` (what comes) and `sending/` (results on their way). `station/` is the unattended station. The
packages that speak with archives (the extra ``[archive]``) are imported when one is opened.
"""
