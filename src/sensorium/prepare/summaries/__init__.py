"""Summaries of prepared columns, which classical models read: counts of terms, codes, numbers. Nothing is learned."""

from sensorium.prepare.summaries._summarize import Kind, Summaries, Summary, summarize

__all__ = ["Kind", "Summaries", "Summary", "summarize"]
