"""The legend of a scan: its bones, with colour, area and an eye."""
