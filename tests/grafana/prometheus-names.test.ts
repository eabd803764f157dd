import { describe, expect, test } from '@jest/globals';
import { ATTRIBUTE, METRIC } from '@convotel/conventions';
import {
  prometheusBucketLabelOf,
  prometheusNameOf,
  SPAN_METRIC_LABEL,
} from '../../grafana/src/queries/prometheus-names.ts';

describe('prometheusNameOf', () => {
  test('turns dots into underscores and appends the word of the unit', () => {
    expect(prometheusNameOf(METRIC.stepActive)).toBe('conversation_step_active');
    expect(prometheusNameOf(METRIC.timeToFirstOutput, 'seconds')).toBe(
      'conversation_step_time_to_first_output_seconds',
    );
  });

  test('gives the labels that the span_metrics connector makes of our attributes', () => {
    expect(SPAN_METRIC_LABEL.outcome).toBe(prometheusNameOf(ATTRIBUTE.outcome));
    expect(SPAN_METRIC_LABEL.service).toBe(prometheusNameOf(ATTRIBUTE.serviceName));
  });
});

describe('prometheusBucketLabelOf', () => {
  test('writes whole bounds with one decimal and others as they are', () => {
    expect([0.025, 0.75, 7, 60].map(prometheusBucketLabelOf)).toEqual(['0.025', '0.75', '7.0', '60.0']);
  });
});
