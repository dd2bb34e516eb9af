"""The fields of live messages that are read, one module for each schema.

They are structs, which are never compiled; what a schema makes of them is in its module of `models.sources`.
"""
