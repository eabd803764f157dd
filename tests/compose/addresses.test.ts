import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { mountsOf, readCompose, readText } from './stack-files.ts';

const { services } = readCompose();

/** Ports that a service listens on for the others, and the configuration or documentation that says so. */
const LISTENS: Readonly<Record<string, readonly number[]>> = {
  collector: portsIn('collector-config/collector.yaml'),
  jaeger: portsIn('stack/jaeger/config.yaml'),
  // Their images' defaults.
  prometheus: [9090],
  grafana: [3000],
  clickhouse: [8123],
};

const PUBLISHED_PORTS = Object.values(services).flatMap(({ ports = [] }) =>
  ports.map((port) => Number(port.split(':')[1])),
);

/** Files in which one service names another. */
const CONFIGURATIONS = [
  'collector-config/collector.yaml',
  'collector-config/strip-content.yaml',
  'collector-config/clickhouse.yaml',
  'stack/jaeger/config.yaml',
  'stack/prometheus/prometheus.yml',
  'grafana/provisioning/datasources/convotel.yaml',
  'grafana/clickhouse/clickhouse.yaml',
  'docker-compose.yml',
];

function portsIn(file: string): number[] {
  const text = withoutComments(readText(file));
  return [
    ...text.matchAll(/0\.0\.0\.0:(\d+)/g),
    // The collector's own metrics have host and port apart.
    ...text.matchAll(/port: \$\{env:\w+:-(\d+)\}/g),
  ].map(([, port]) => Number(port));
}

function withoutComments(text: string): string {
  return text.replaceAll(/(^|\s)#.*$/gm, '');
}

/** Every `host:port` of another container in a text. */
function addressesIn(text: string): { host: string; port: number }[] {
  const addresses = withoutComments(text).matchAll(/(?<![\w.-])([a-z][a-z-]*):(\d{4,5})(?![\w.])/g);
  return [...addresses].map(([, host, port]) => ({ host: host!, port: Number(port) }));
}

describe('addresses in configurations', () => {
  test.each(CONFIGURATIONS)('of %s name services of the compose file, at ports where they listen', (file) => {
    for (const { host, port } of addressesIn(readText(file))) {
      // What a browser opens is the machine's own, at a port that is published.
      if (host === 'localhost') {
        expect(PUBLISHED_PORTS).toContain(port);
        continue;
      }
      expect(Object.keys(services)).toContain(host);
      expect([host, LISTENS[host]]).toEqual([host, expect.arrayContaining([port])]);
    }
  });

  test('are there to be checked', () => {
    const hosts = CONFIGURATIONS.flatMap((file) => addressesIn(readText(file)).map(({ host }) => host));
    expect([...new Set(hosts)].toSorted()).toEqual([
      'clickhouse',
      'collector',
      'grafana',
      'jaeger',
      'localhost',
      'prometheus',
    ]);
  });

  test('are published where a user needs them', () => {
    for (const [name, { ports = [] }] of Object.entries(services)) {
      for (const port of ports)
        expect([name, LISTENS[name]]).toEqual([name, expect.arrayContaining([Number(port.split(':')[2])])]);
    }
  });
});

describe("Grafana's provisioning", () => {
  interface DataSource {
    uid: string;
    type: string;
    isDefault?: boolean;
    jsonData?: {
      timeInterval?: string;
      manageAlerts?: boolean;
      exemplarTraceIdDestinations?: { name: string; datasourceUid?: string; url?: string; urlDisplayLabel?: string }[];
    };
  }
  const { datasources } = parse(readText('grafana/provisioning/datasources/convotel.yaml')) as {
    datasources: DataSource[];
  };
  const prometheus = datasources.find(({ type }) => type === 'prometheus')!;

  test("leads from a point of a curve to its trace: in Jaeger's page, and in a data source that exists", () => {
    const [page, beside, ...rest] = prometheus.jsonData!.exemplarTraceIdDestinations!;
    expect(page!.url).toBe('http://localhost:16686/trace/$${__value.raw}');
    expect(datasources.find(({ uid }) => uid === beside!.datasourceUid)?.type).toBe('jaeger');
    expect(rest).toEqual([]);
    for (const { name, urlDisplayLabel } of [page!, beside!]) {
      expect(name).toBe('trace_id');
      expect(urlDisplayLabel).toBeTruthy();
    }
  });

  test('tells the scrape interval, on which $__rate_interval rests', () => {
    const { global } = parse(readText('stack/prometheus/prometheus.yml')) as { global: { scrape_interval: string } };
    expect(prometheus.jsonData!.timeInterval).toBe(global.scrape_interval);
  });

  test("takes Prometheus's first, and shows its alerts", () => {
    expect(datasources.filter(({ isDefault }) => isDefault === true)).toEqual([prometheus]);
    expect(prometheus.jsonData!.manageAlerts).toBe(true);
  });

  test('finds the dashboards where they are mounted', () => {
    const { providers } = parse(readText('grafana/provisioning/dashboards/convotel.yaml')) as {
      providers: { options: { path: string } }[];
    };
    const mount = mountsOf(services['grafana']!).find(({ source }) => source === './grafana/dashboards')!;
    const beside = mountsOf(services['grafana']!).find(({ target }) => target === '/etc/convotel/clickhouse')!;
    expect(beside.source).toBe('./grafana/provisioning/datasources');
    expect(providers.map(({ options }) => options.path)).toEqual([mount.target, beside.target]);
    expect(services['grafana']!.environment!['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBe(
      `${mount.target}/conversations.json`,
    );
  });
});
