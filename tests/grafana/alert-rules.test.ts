import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  CONVERSATION_SPAN_NAME,
  DURATION_BUCKET_BOUNDS_SECONDS,
  FAILURE_OUTCOMES,
  THRESHOLD,
} from '@convotel/conventions';
import { parse } from 'yaml';
import { RECORDED_METRIC } from '../../grafana/src/queries/collector-metrics.ts';
import { KNOWN_LABELS, KNOWN_METRICS } from './known-names.ts';
import { partsOf } from './promql.ts';
import { prometheusBucketLabelOf } from '../../grafana/src/queries/prometheus-names.ts';

interface Rule {
  record?: string;
  alert?: string;
  expr: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

const ROOT = new URL('../../', import.meta.url);
const RULES_FOLDER = new URL('stack/prometheus/rules/', ROOT);
const RUNBOOKS_FOLDER = new URL('docs/runbooks/', ROOT);

const RULES = readdirSync(RULES_FOLDER).flatMap((file) => {
  const { groups } = parse(readFileSync(new URL(file, RULES_FOLDER), 'utf8')) as { groups: { rules: Rule[] }[] };
  return groups.flatMap(({ rules }) => rules);
});
const RECORDINGS = RULES.filter((rule): rule is Rule & { record: string } => rule.record !== undefined);
const ALERTS = RULES.filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined);
const RECORDED_NAMES = RECORDINGS.map(({ record }) => record);
const WINDOW_IN_NAME = /(?:increase|ratio)(\d+[mhd])$/;

describe.each(RULES.map((rule): [string, Rule] => [rule.record ?? rule.alert!, rule]))('%s', (_, { expr }) => {
  const parts = partsOf(expr);

  test('is PromQL over metrics and labels that the conventions, the collector or a recording rule know', () => {
    expect(parts.errors).toEqual([]);
    for (const metric of parts.metrics) expect([...KNOWN_METRICS, ...RECORDED_NAMES]).toContain(metric);
    for (const label of parts.labels) expect([...KNOWN_LABELS]).toContain(label);
  });

  test('counts failures, conversations and the target as everything else does', () => {
    for (const [, outcomes] of expr.matchAll(/conversation_outcome=~"([^"]*)"/g)) {
      expect(outcomes).toBe(FAILURE_OUTCOMES.join('|'));
    }
    for (const [, span] of expr.matchAll(/span_name="([^"]*)"/g)) expect(span).toBe(CONVERSATION_SPAN_NAME);
    for (const bound of parts.bucketLabels) {
      expect(bound).toBe(prometheusBucketLabelOf(THRESHOLD.targetMs / 1000));
      expect(DURATION_BUCKET_BOUNDS_SECONDS.map(prometheusBucketLabelOf)).toContain(bound);
    }
  });
});

describe('recording rules', () => {
  test('have names of their own, and all of them are used', () => {
    expect(new Set(RECORDED_NAMES).size).toBe(RECORDED_NAMES.length);
    const used = new Set([...RULES.flatMap(({ expr }) => partsOf(expr).metrics), ...Object.values(RECORDED_METRIC)]);
    expect(RECORDED_NAMES.filter((name) => !used.has(name))).toEqual([]);
    for (const name of Object.values(RECORDED_METRIC)) expect(RECORDED_NAMES).toContain(name);
  });

  test('look over the window that their name says', () => {
    for (const { record, expr } of RECORDINGS) {
      const window = WINDOW_IN_NAME.exec(record)?.[1];
      if (window === undefined) continue;
      const { metrics, ranges } = partsOf(expr);
      for (const { range } of ranges) expect([record, range]).toEqual([record, window]);
      for (const metric of metrics.filter((name) => RECORDED_NAMES.includes(name))) {
        expect([record, WINDOW_IN_NAME.exec(metric)?.[1]]).toEqual([record, window]);
      }
    }
  });
});

describe.each(ALERTS.map((alert): [string, typeof alert] => [alert.alert, alert]))('alert %s', (name, alert) => {
  test('says how urgent it is, what happened in one line, and more in a sentence', () => {
    expect(['page', 'ticket']).toContain(alert.labels!['severity']);
    expect(alert.annotations!['summary']).toMatch(/^[A-Z].{10,80}[^.]$/);
    expect(alert.annotations!['description']).toMatch(/^\S.{60,}\.$/s);
  });

  test('leads to a runbook that is about it', () => {
    const runbook = new URL(alert.annotations!['runbook_url']!, ROOT);
    expect(existsSync(runbook)).toBe(true);
    const heading = readFileSync(runbook, 'utf8').split('\n')[0]!;
    expect(heading.replace('# ', '').split(', ')).toContain(name);
  });

  test('watches a budget over a long and a short window, and only where there is traffic', () => {
    const windows = partsOf(alert.expr).metrics.filter((metric) => metric.includes(':ratio'));
    if (windows.length === 0) return;
    for (const pair of alert.expr.split(/\bor\b/)) {
      const [, long, , short] = /ratio(\w+) > ([\d.]+ \* [\d.]+)\s+and \S+ratio(\w+) > \2/.exec(pair)!;
      expect(long).not.toBe(short);
      expect(pair).toContain(`conversations:increase${long} >= 20`);
    }
  });
});

describe('runbooks', () => {
  test('are all led to by an alert', () => {
    const used = new Set(ALERTS.map(({ annotations }) => annotations!['runbook_url']!.split('/').at(-1)));
    const pages = readdirSync(RUNBOOKS_FOLDER).filter((file) => file !== 'README.md');
    expect(pages.filter((page) => !used.has(page))).toEqual([]);
  });
});

describe('the jobs that alerts name', () => {
  test('are those that Prometheus scrapes', () => {
    const prometheus = parse(readFileSync(new URL('stack/prometheus/prometheus.yml', ROOT), 'utf8')) as {
      scrape_configs: { job_name: string }[];
    };
    const jobs = prometheus.scrape_configs.map(({ job_name }) => job_name);
    const named = ALERTS.flatMap(({ expr }) =>
      [...expr.matchAll(/job=~?"([^"]*)"/g)].flatMap(([, job]) => job!.split('|')),
    );
    expect(named.length).toBeGreaterThan(0);
    for (const job of named) expect(jobs).toContain(job);
  });
});
