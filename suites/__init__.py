"""The requirements, one module an area. They know the harness and nothing else."""
