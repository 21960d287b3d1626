"""From target weights to executable orders, lots and cash, in integers throughout."""
