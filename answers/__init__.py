"""Does a response's answer equal the reference?"""
