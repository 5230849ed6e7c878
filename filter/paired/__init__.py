"""The paired difficulty pass: which problems does the policy fail for misreading the picture?"""
