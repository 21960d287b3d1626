"""Search of the network's settings: trials that outlive a crash and that several workers share."""
