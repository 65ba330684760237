"""Text for people: wording, output to terminals, and templates of pages."""
