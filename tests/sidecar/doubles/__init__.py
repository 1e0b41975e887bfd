"""Stand-ins for the other side: each speaks its platform's protocol over a real socket, and can misbehave as the real one does."""
