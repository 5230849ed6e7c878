"""Which visual annotations does a completion reflect?"""
