"""Judgements of people: a durable store, write-back to servers, agreement."""
