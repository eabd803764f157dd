import { existsSync, readdirSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readClickHouseDashboards, readDashboards } from '../grafana/dashboards.ts';
import { readCompose, readText, ROOT } from './stack-files.ts';

const { services } = readCompose();
const DOCUMENTS = [
  'docs/stack.md',
  'grafana/README.md',
  ...readdirSync(new URL('docs/runbooks/', ROOT)).map((file) => `docs/runbooks/${file}`),
];
const PORTS = Object.values(services).flatMap(({ ports = [] }) => ports.map((port) => port.split(':')[1]!));
const TITLES = [...readDashboards(), ...readClickHouseDashboards()].flatMap(([, { title, panels }]) => [
  title,
  ...panels.map((panel) => panel.title),
]);
/** Words of Grafana's and Jaeger's own pages, and what is emphasised for its own sake. */
const OTHER_EMPHASIS = ['Find Traces', 'Alerting', 'Save as', 'Target', 'total', 'looks', 'permanent', 'ClickHouse'];

describe.each(DOCUMENTS)('%s', (path) => {
  const text = readText(path);

  test('leads to ports that are published', () => {
    for (const [, port] of text.matchAll(/localhost:(\d+)/g)) expect(PORTS).toContain(port);
  });

  test('links to files that exist', () => {
    for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)[^)]*\)/g)) {
      const file = new URL(target!, new URL(path, ROOT));
      expect([target, existsSync(file)]).toEqual([target, true]);
    }
  });

  test('names services that exist', () => {
    const named = text.matchAll(/docker compose (?:ps|up -d|logs(?: --tail \d+)?) ([a-z-]+)/g);
    for (const [, service] of named) expect(Object.keys(services)).toContain(service);
  });

  test('names dashboards and panels that exist', () => {
    for (const [, name] of text.matchAll(/(?<![*\w])\*([^*\n]+)\*(?!\*)/g)) {
      expect([...TITLES, ...OTHER_EMPHASIS]).toContain(name);
    }
  });

  test('names settings that something reads', () => {
    const readers = ['collector-config/collector.yaml', 'stack/jaeger/config.yaml', 'docker-compose.yml'].map(readText);
    for (const [, variable] of text.matchAll(/`?\b((?:COLLECTOR|JAEGER)_[A-Z_]+)\b/g)) {
      expect([variable, readers.some((reader) => reader.includes(variable!))]).toEqual([variable, true]);
    }
  });
});

describe('docs/stack.md', () => {
  test('tells the versions that the compose file starts', () => {
    const table = readText('docs/stack.md');
    for (const name of ['collector', 'jaeger', 'prometheus', 'grafana', 'clickhouse']) {
      const version = services[name]!.image.split(':')[1]!.replace('v', '');
      expect(table).toMatch(new RegExp(`^\\| ${name} \\| ${version.replaceAll('.', '\\.')} \\|`, 'im'));
    }
  });

  test('lists every alert', () => {
    const text = readText('docs/stack.md');
    for (const [, alert] of readText('stack/prometheus/rules/alerts.yaml').matchAll(/- alert: (\w+)/g)) {
      expect(text).toContain(`\`${alert}\``);
    }
  });
});
