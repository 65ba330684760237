"""The unattended station: what arrives is worked on, and the results go back."""
