"""The log in the database: makes entries of journal lines, signs, and writes the record's folder.

Any node enters the lines of its own journal (`entering`); the one machine where RECORD_ORIGIN is
set writes tiles and signs (`publishing`).
"""
