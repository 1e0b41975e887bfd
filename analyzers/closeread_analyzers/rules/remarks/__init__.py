"""Review remarks: mistakes that are not security bugs."""
