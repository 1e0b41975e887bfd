"""What is wrong with comments that answer findings."""
