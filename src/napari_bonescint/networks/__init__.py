"""The networks, one file per architecture; `zoo` maps names to them."""
