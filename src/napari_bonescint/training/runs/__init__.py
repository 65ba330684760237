"""Training runs: their folders and status; starting, monitoring and stopping them."""
