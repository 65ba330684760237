"""What a user has set up for each archive, and its secrets."""
