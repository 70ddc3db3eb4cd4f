"""OTLP's protobuf messages, described so that they are cheap to read from Python.

The bytes are those of opentelemetry-proto; only the description differs. Texts are bytes, so that one invalid UTF-8
sequence does not lose a whole message, and attributes stay undecoded: one Python object for each, where the generated
classes make three. A private pool keeps these apart from the generated classes.
"""

from __future__ import annotations

from typing import Any

# protobuf ships no types; a user's environment may have them from elsewhere
from google.protobuf import (  # type: ignore[import-untyped, unused-ignore]
    descriptor_pb2,
    descriptor_pool,
    message,
    message_factory,
)

_PACKAGE = "llmlens.wire"

#: message -> (number, name, type); `*` is repeated, a type that is a message here is one, the rest are protobuf's own.
#: `value` is a oneof. Only fields that are read are listed: protobuf skips the others.
_MESSAGES: dict[str, tuple[tuple[int, str, str], ...]] = {
    "TracesData": ((1, "resources", "*ResourceSpans"),),
    "ResourceSpans": ((1, "resource", "Resource"), (2, "scopes", "*ScopeSpans")),
    "ScopeSpans": ((1, "scope", "Scope"), (2, "records", "*Span")),
    "LogsData": ((1, "resources", "*ResourceLogs"),),
    "ResourceLogs": ((1, "resource", "Resource"), (2, "scopes", "*ScopeLogs")),
    "ScopeLogs": ((1, "scope", "Scope"), (2, "records", "*LogRecord")),
    "Resource": ((1, "attributes", "*bytes"),),
    "Scope": ((1, "name", "bytes"), (2, "version", "bytes"), (3, "attributes", "*bytes")),
    "Span": (
        (1, "trace_id", "bytes"),
        (2, "span_id", "bytes"),
        (4, "parent_id", "bytes"),
        (5, "name", "bytes"),
        (7, "start_ns", "fixed64"),
        (8, "end_ns", "fixed64"),
        (9, "attributes", "*bytes"),
        (11, "events", "*Event"),
        (13, "links", "*Link"),
        (15, "status", "bytes"),
    ),
    "Event": ((1, "time_ns", "fixed64"), (2, "name", "bytes"), (3, "attributes", "*bytes")),
    "Link": ((1, "trace_id", "bytes"), (2, "span_id", "bytes"), (4, "attributes", "*bytes")),
    "Status": ((2, "message", "bytes"), (3, "code", "int32")),
    "LogRecord": (
        (1, "time_ns", "fixed64"),
        (5, "body", "bytes"),
        (6, "attributes", "*bytes"),
        (9, "trace_id", "bytes"),
        (10, "span_id", "bytes"),
        (11, "observed_ns", "fixed64"),
        (12, "name", "bytes"),
    ),
    "KeyValue": ((1, "key", "bytes"), (2, "value", "bytes")),
    "AnyValue": (
        (1, "string", "bytes"),
        (2, "bool", "bool"),
        (3, "int", "int64"),
        (4, "double", "double"),
        (5, "array", "bytes"),
        (6, "kvlist", "bytes"),
        (7, "bytes", "bytes"),
    ),
    "Items": ((1, "values", "*bytes"),),
}


def _classes() -> dict[str, Any]:
    field_type = descriptor_pb2.FieldDescriptorProto
    # proto2: in proto3 a list of numbers is packed and a text is checked, neither of which is wanted here
    file = descriptor_pb2.FileDescriptorProto(name="llmlens/wire.proto", package=_PACKAGE, syntax="proto2")
    for message_name, fields in _MESSAGES.items():
        made = file.message_type.add(name=message_name)
        if message_name == "AnyValue":
            made.oneof_decl.add(name="value")
        for number, name, kind in fields:
            label = field_type.LABEL_REPEATED if kind.startswith("*") else field_type.LABEL_OPTIONAL
            field = made.field.add(name=name, number=number, label=label)
            if (plain := kind.removeprefix("*")) in _MESSAGES:
                field.type, field.type_name = field_type.TYPE_MESSAGE, f".{_PACKAGE}.{plain}"
            else:
                field.type = field_type.Type.Value(f"TYPE_{plain.upper()}")
            if made.oneof_decl:
                field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


#: What `FromString` raises.
DecodeError = message.DecodeError

_CLASSES = _classes()
TracesData, LogsData = _CLASSES["TracesData"], _CLASSES["LogsData"]
Status, KeyValue, AnyValue, Items = (_CLASSES[name] for name in ("Status", "KeyValue", "AnyValue", "Items"))
