/** Name of the root span of every conversation. */
export const CONVERSATION_SPAN_NAME = 'conversation';

/** Value of {@link ATTRIBUTE.schemaVersion} that these conventions describe. */
export const SCHEMA_VERSION = '1';
