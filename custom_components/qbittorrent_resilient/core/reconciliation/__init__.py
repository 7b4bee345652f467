"""What became of jobs that are delivered, or wait for too long."""
