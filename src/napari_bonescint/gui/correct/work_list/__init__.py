"""The work list: its rows, their pictures, and the buttons that go through it."""
