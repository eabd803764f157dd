import type { DuckDBType } from '@duckdb/node-api';
import type { Vector } from '@duckdb/node-bindings';
import type { SpanRecord } from '@convotel/query';

/** Most rows of one data chunk: DuckDB's vector size. */
export const MAX_CHUNK_ROWS = 2048;

/** One column of the table `spans`: where its values come from, and how they get into a vector of a data chunk. */
export interface Column {
  readonly name: string;
  readonly type: DuckDBType;
  /** Fills the first `spans.length` rows of `vector`, which is fresh, from `spans`. */
  fill(vector: Vector, spans: readonly StoredSpan[]): void;
}

/** A span, and where its resource and its step stand in the tables `resources` and `steps`. */
export interface StoredSpan {
  record: SpanRecord;
  resourceId: number;
  /** 0 for a root; undefined for a span that is neither root nor step. */
  stepId: number | undefined;
}
