"""Langfuse's API and its export files -> raw spans and scores."""
