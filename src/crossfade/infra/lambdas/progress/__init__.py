"""What the tracking table says, told to Migration Hub."""
