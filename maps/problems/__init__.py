"""Errors of ours, faults found in files, and notes of repairs, told in the reader's language.

The layers below speak English, since a command line and a log read them too. Here each of their sentences stands once more as
a template; the sentence that was raised chooses its template, and what it was about is put into the translation.
"""

from maps.problems.answers import Told, fault_told, members_told, problem_of, problem_told, text_told

__all__ = ["Told", "fault_told", "members_told", "problem_of", "problem_told", "text_told"]
