"""Talking to a chat model: clients, the engine that drives them, the store that keeps answers."""
