"""The paired difficulty pass: which problems does the policy fail because it misreads the picture?"""
