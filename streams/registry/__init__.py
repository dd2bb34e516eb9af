"""Playback events in Avro or Protobuf: Confluent's wire format, and the schema registry that it refers to.

`decoder` turns the value of a record into the JSON that everything else reads. So a record is judged by the same code
in every format, and by each recomputation alike: the registry never changes the schema of an id.
"""
