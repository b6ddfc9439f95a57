"""What postern's integration, end-to-end and load tests share, and what deploy/demo uses of it."""
