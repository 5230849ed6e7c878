"""The page on which a person reads, accepts, rejects and corrects what a model proposed."""
