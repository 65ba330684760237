"""The panel that segments scans."""
