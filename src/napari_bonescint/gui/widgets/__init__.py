"""Small widgets of Qt that every panel may use."""
