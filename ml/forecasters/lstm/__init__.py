"""The global network: windows of all symbols, a loop of compiled steps, and its checkpoints."""
