"""Chats: one grammar, one adapter each."""
