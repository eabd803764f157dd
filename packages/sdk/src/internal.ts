// For convotel's own benchmarks and fault tests; not covered by the promises about versions.
export { Delivery } from './delivery/delivery.ts';
export type { Clock, Transport } from './delivery/delivery.ts';
export { DeliveryProcessor } from './delivery/delivery-processor.ts';
export { HttpTransport } from './delivery/http-transport.ts';
export { OutageWarning } from './delivery/outage-warning.ts';
export { ENCODED_JSON, JsonSpanEncoder } from './encoding/json.ts';
export { ProtobufSpanEncoder } from './encoding/protobuf.ts';
export type { SpanEncoder } from './encoding/span-encoder.ts';
export { Journal } from './journal/journal.ts';
export type { JournalOptions } from './journal/journal.ts';
export { DISK } from './journal/journal-files.ts';
export type { JournalFiles } from './journal/journal-files.ts';
export { RECORD_HEADER_BYTES, RECORD_KIND, readRecords, sealRecord } from './journal/record.ts';
export { SpanCounts } from './journal/span-counts.ts';
export { Redactor } from './redaction/redactor.ts';
