import { DataqueryBuilder, PromQueryFormat, QueryEditorMode } from '@grafana/grafana-foundation-sdk/prometheus';
import { CHOSEN_PROMETHEUS } from '../data-source.ts';

/** One value for the whole range on show. */
export function valueQuery(expression: string, refId = 'A'): DataqueryBuilder {
  return query(expression, refId).instant();
}

/** One row a label set, for the whole range on show. */
export function tableQuery(expression: string, refId: string): DataqueryBuilder {
  return valueQuery(expression, refId).format(PromQueryFormat.Table);
}

/**
 * A curve over the range on show.
 * @param legend Name of the curve, with labels as `{{label}}`.
 */
export function curveQuery(expression: string, legend: string, refId = 'A'): DataqueryBuilder {
  return query(expression, refId).range().legendFormat(legend);
}

/** A curve of durations: its points carry traces to open, where the collector kept an example. */
export function durationCurveQuery(expression: string, legend: string, refId = 'A'): DataqueryBuilder {
  return curveQuery(expression, legend, refId).exemplar(true);
}

/** Counts by upper bound over time, with traces to open. */
export function heatmapQuery(expression: string): DataqueryBuilder {
  return durationCurveQuery(expression, '{{le}}').format(PromQueryFormat.Heatmap);
}

/** Counts by upper bound for the whole range on show. */
export function distributionQuery(expression: string): DataqueryBuilder {
  return valueQuery(expression).legendFormat('{{le}}').format(PromQueryFormat.Heatmap);
}

function query(expression: string, refId: string): DataqueryBuilder {
  return new DataqueryBuilder()
    .datasource(CHOSEN_PROMETHEUS)
    .editorMode(QueryEditorMode.Code)
    .expr(expression)
    .refId(refId);
}
