"""Who may do what: authentication, authorisation, sessions and passwords."""
