"""What a target must keep to, what gives way where nothing can, and when an account acts."""
