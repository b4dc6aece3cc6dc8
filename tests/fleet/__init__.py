"""Real proxy processes on the run's databases: how they are started and hurt, and what their clients were told."""
