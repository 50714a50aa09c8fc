"""WS-Management: reading CIM instances from Windows, and nothing else."""
