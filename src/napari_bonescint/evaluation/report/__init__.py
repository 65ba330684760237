"""Reports on models: tables, pages and pictures."""
