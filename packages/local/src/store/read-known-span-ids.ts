import type { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { SPAN_ID_WORDS, TRACE_ID_WORDS } from './columns/ids.ts';
import { KnownSpanIds } from './known-span-ids.ts';

/** Room for this many spans beside those stored, before the filter grows. */
const SPARE_SPANS = 1_000_000;

/** The filter of all spans stored. Reads the ids as they lie in memory: as bigints they would take ten times as long. */
export async function readKnownSpanIds(connection: DuckDBConnection): Promise<KnownSpanIds> {
  const counted = await connection.runAndReadAll('SELECT count(*) FROM spans');
  const known = new KnownSpanIds(Number(counted.getRows()[0]![0]) + SPARE_SPANS);
  const result = await connection.stream('SELECT trace_id, span_id FROM spans');
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return known;
    const rows = chunk.rowCount;
    const traces = idWords(duckdb.data_chunk_get_vector(chunk.chunk, 0), rows * TRACE_ID_WORDS);
    const spans = idWords(duckdb.data_chunk_get_vector(chunk.chunk, 1), rows * SPAN_ID_WORDS);
    for (let row = 0; row < rows; row++) {
      const trace = row * TRACE_ID_WORDS;
      const span = row * SPAN_ID_WORDS;
      known.addWords(
        traces[trace]!,
        traces[trace + 1]!,
        traces[trace + 2]!,
        traces[trace + 3]!,
        spans[span]!,
        spans[span + 1]!,
      );
    }
  }
}

function idWords(vector: Parameters<typeof duckdb.vector_get_data>[0], words: number): Uint32Array {
  const bytes = duckdb.vector_get_data(vector, words * 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, words);
}
