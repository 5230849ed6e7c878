"""`report.html` for any dataset stage: what a run did, on a page that needs nothing else."""
