"""Tables, pages and pictures that report on models."""
