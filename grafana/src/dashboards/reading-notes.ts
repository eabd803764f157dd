/** What a reader must know of every percentile on show. */
export const BUCKET_ESTIMATE =
  'An estimate from the buckets of a histogram: accurate to one bucket, not to the millisecond, and never above 60 s.';

/** What panels say that have data only where programs say more than how long something took. */
export const NO_DATA = {
  response: 'No data: no step answers the user',
  firstOutput: 'No data: no step has a first output',
} as const;

/** What a reader must know of every count over time. */
export const LATE_SPANS =
  'A span counts when it reaches the collector, which after an outage is later than it happened.';
