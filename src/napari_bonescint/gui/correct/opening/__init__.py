"""What is opened for correction, in which layers, and where else it is open."""
