import { THRESHOLD } from '@convotel/conventions';
import { prometheusBucketLabelOf } from '../../grafana/src/queries/prometheus-names.ts';

/** What Grafana puts for the variables of our dashboards, over a range of six hours and a scrape every 15 seconds. */
export const EXAMPLE_VALUES: Readonly<Record<string, string>> = {
  __range: '6h',
  __range_s: '21600',
  __rate_interval: '1m',
  service: '.+',
  step: 'gpt',
  target: prometheusBucketLabelOf(THRESHOLD.targetMs / 1000),
};
