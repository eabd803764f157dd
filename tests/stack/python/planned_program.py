"""A program in Python that traces planned conversations with OpenTelemetry's own SDK and no help from convotel.

It follows docs/conventions.md: names, attributes, and ids derived from the conversation id. It is started with the
OTLP/HTTP endpoint and the name of its service, reads a plan (JSON) from standard input, and ends with 1 when a batch
was not taken.
"""

import hashlib
import json
import sys

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Status, StatusCode


class DerivedIds(RandomIdGenerator):
    """Gives the next root span the ids that follow from its conversation id; all other ids are random."""

    def __init__(self):
        self._next = None

    def derive_from(self, conversation_id):
        digest = hashlib.sha256(f"convotel:{conversation_id}".encode()).digest()
        self._next = [int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")]

    def generate_trace_id(self):
        return self._next[0] if self._next else super().generate_trace_id()

    def generate_span_id(self):
        if self._next is None:
            return super().generate_span_id()
        span_id = self._next[1]
        self._next = None
        return span_id


class CountingExporter(OTLPSpanExporter):
    """OpenTelemetry's exporter, which remembers whether a batch was refused."""

    refused = 0

    def export(self, spans):
        result = super().export(spans)
        if result is not SpanExportResult.SUCCESS:
            self.refused += 1
        return result


def nanoseconds(unix_ms):
    # The plan's times are whole halves of a millisecond.
    return int(unix_ms * 2) * 500_000


def utf16_length(text):
    return len(text.encode("utf-16-le")) // 2


def mark(span, outcome, error):
    span.set_attribute("conversation.outcome", outcome)
    if outcome in ("failed", "timed_out"):
        span.set_attribute("error.type", error["name"])
        span.set_status(Status(StatusCode.ERROR, error["message"]))


def trace_step(tracer, context, named, planned):
    start = nanoseconds(planned["startUnixMs"])
    attributes = {**named, "conversation.step.name": planned["step"]}
    span = tracer.start_span(planned["step"], context, attributes=attributes, start_time=start)
    if "attempt" in planned:
        span.set_attribute("conversation.step.attempt", planned["attempt"])
    if "timeToFirstOutputSeconds" in planned:
        span.set_attribute("conversation.step.time_to_first_output", planned["timeToFirstOutputSeconds"])
    for part, seconds in planned.get("timingsSeconds", {}).items():
        span.set_attribute(f"conversation.step.timing.{part}", seconds)
    for text in ("input", "output"):
        if f"{text}Text" in planned:
            span.set_attribute(f"conversation.{text}.chars", utf16_length(planned[f"{text}Text"]))
    mark(span, planned["outcome"], planned.get("error"))
    span.end(start + nanoseconds(planned["durationMs"]))


def trace_conversation(tracer, ids, planned):
    named = {"conversation.id": planned["conversationId"]}
    if "sessionId" in planned:
        named["session.id"] = named["gen_ai.conversation.id"] = planned["sessionId"]
    ids.derive_from(planned["conversationId"])
    root = tracer.start_span(
        "conversation",
        attributes={
            **named,
            "conversation.schema.version": "1",
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": planned["workflow"],
        },
        start_time=nanoseconds(planned["startUnixMs"]),
    )
    context = trace.set_span_in_context(root)
    for step in planned["steps"]:
        trace_step(tracer, context, named, step)
    if "foreignSpan" in planned:
        foreign = planned["foreignSpan"]
        start = nanoseconds(foreign["startUnixMs"])
        span = tracer.start_span(foreign["name"], context, start_time=start)
        span.end(start + nanoseconds(foreign["durationMs"]))
    if planned["outcome"] != "open":
        mark(root, planned["outcome"], planned["steps"][-1].get("error"))
        root.end(nanoseconds(planned["endUnixMs"]))


def main():
    endpoint, service_name = sys.argv[1:]
    ids = DerivedIds()
    exporter = CountingExporter(endpoint=f"{endpoint}/v1/traces")
    provider = TracerProvider(resource=Resource.create({"service.name": service_name}), id_generator=ids)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=100_000))
    tracer = provider.get_tracer("planned-program")
    for planned in json.load(sys.stdin):
        trace_conversation(tracer, ids, planned)
    provider.shutdown()
    return 1 if exporter.refused else 0


if __name__ == "__main__":
    sys.exit(main())
