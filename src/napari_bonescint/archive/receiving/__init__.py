"""What comes from archives, and the receiver that takes it."""
