"""The panel "Archive": search archives (PACS), open scans from them, receive, and send results back."""
