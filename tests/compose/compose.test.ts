import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { bytesOf, mountsOf, readCompose, readText, repositoryPathOf, ROOT, withDefaults } from './stack-files.ts';
import type { Service } from './stack-files.ts';

const { services, volumes } = readCompose();
const ALL = Object.entries(services);
const ONCE = ALL.flatMap(([, { depends_on = {} }]) =>
  Object.entries(depends_on)
    .filter(([, { condition }]) => condition === 'service_completed_successfully')
    .map(([name]) => name),
);
const LASTING = ALL.filter(([name]) => !ONCE.includes(name));

describe.each(ALL)('service %s', (_, service) => {
  test('is an exact version', () => {
    // Of ClickHouse, four numbers name a version: three are the newest build of that patch.
    const numbers = service.image.startsWith('clickhouse/') ? 4 : 3;
    expect(service.image).toMatch(new RegExp(`^[a-z0-9/-]+:v?\\d+(\\.\\d+){${numbers - 1}}$`));
  });

  test('publishes its ports on this machine only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
  });

  test('mounts only what exists, and configuration read-only', () => {
    for (const { source, isNamedVolume } of mountsOf(service)) {
      if (isNamedVolume) expect(Object.keys(volumes)).toContain(source);
      else expect([source, existsSync(new URL(source, ROOT))]).toEqual([source, true]);
    }
    for (const volume of service.volumes ?? []) expect(volume.endsWith(':ro')).toBe(volume.startsWith('.'));
  });

  test('is started with configuration files that are mounted', () => {
    const paths = (service.command ?? [])
      .map((word) => withDefaults(word))
      .flatMap((word) => /(\/etc\/\S+\.ya?ml)$/.exec(word)?.[1] ?? []);
    for (const path of paths) {
      const file = repositoryPathOf(service, path);
      expect([path, file !== undefined && existsSync(new URL(file, ROOT))]).toEqual([path, true]);
    }
  });

  test('gains no rights, and writes to its volumes only, where that has been thought through', () => {
    expect(service.security_opt).toEqual(['no-new-privileges:true']);
    // The images of Grafana and ClickHouse have never been started by us; docs/stack.md says so.
    expect(service.read_only ?? false).toBe(!/^(grafana|clickhouse)\//.test(service.image));
    expect(service).not.toHaveProperty('privileged');
  });

  test('has a limit of memory', () => {
    expect(bytesOf(service.mem_limit!)).toBeGreaterThan(0);
  });
});

describe('services that last', () => {
  test.each(LASTING)('%s comes back by itself, and does not fill the disk with its log', (_, { restart, logging }) => {
    expect(restart).toBe('unless-stopped');
    expect(logging?.options['max-size']).toBeDefined();
  });

  test.each(ONCE)('%s, which only prepares, does not', (name) => {
    expect(services[name]!.restart).toBe('no');
  });

  test('are all looked at from outside', () => {
    const probe = services['health']!.healthcheck!.test.join(' ');
    const probed = [...probe.matchAll(/http:\/\/([a-z-]+):\d+/g)].map(([, name]) => name!);
    expect(probed.toSorted()).toEqual(
      LASTING.filter(([name, { profiles }]) => name !== 'health' && profiles === undefined)
        .map(([name]) => name)
        .toSorted(),
    );
    // What does not always start looks at itself.
    for (const [, { profiles, healthcheck }] of LASTING) if (profiles) expect(healthcheck!.test).toHaveLength(2);
  });

  test('publish no port twice', () => {
    const ports = LASTING.flatMap(([, service]) => service.ports ?? []);
    expect(new Set(ports).size).toBe(ports.length);
  });
});

describe('what must outlive a restart', () => {
  const isKept = (name: string, folder: string): boolean =>
    mountsOf(services[name]!).some(({ target, isNamedVolume }) => isNamedVolume && target === folder);
  const defaultOf = (file: string, variable: string): string =>
    new RegExp(`\\$\\{env:${variable}:-([^}]*)\\}`).exec(readText(file))![1]!;

  test.each([
    ['collector', defaultOf('collector-config/collector.yaml', 'COLLECTOR_QUEUE_FOLDER')],
    ['jaeger', defaultOf('stack/jaeger/config.yaml', 'JAEGER_DATA_FOLDER')],
    ['prometheus', services['prometheus']!.command!.find((word) => word.startsWith('--storage.tsdb.path='))!.slice(20)],
    ['grafana', '/var/lib/grafana'],
    ['clickhouse', '/var/lib/clickhouse'],
  ])('%s keeps %s on a named volume', (name, folder) => {
    expect(isKept(name, folder)).toBe(true);
  });

  test('every named volume is used', () => {
    const used = LASTING.flatMap(([, service]) => mountsOf(service).map(({ source }) => source));
    expect(Object.keys(volumes).filter((name) => !used.includes(name))).toEqual([]);
  });

  test('volumes of programs that are not root are handed over to them first', () => {
    const handedOver = mountsOf(services['volume-owners']!);
    const { command } = services['volume-owners']!;
    for (const { source, target } of handedOver) {
      expect(command).toContain(target);
      const users = LASTING.filter(([, service]) => mountsOf(service).some((mount) => mount.source === source));
      for (const [, { depends_on }] of users) expect(depends_on).toHaveProperty('volume-owners');
    }
    expect(handedOver).toHaveLength(2);
  });
});

describe('what runs in the tests', () => {
  test('is started with the same switches', () => {
    const switches = services['prometheus']!.command!.filter((word) => word.startsWith('--enable-feature='));
    expect(switches).toHaveLength(1);
    expect(readText('tests/stack/src/stack-programs.ts')).toContain(`'${switches[0]}'`);
  });
});

describe('variables', () => {
  const isOurs = (variable: string): boolean => /^(COLLECTOR|JAEGER)_/.test(variable);
  const configurations: Record<string, string> = {
    collector: readText('collector-config/collector.yaml'),
    jaeger: readText('stack/jaeger/config.yaml'),
  };

  test.each(Object.keys(configurations))('of %s are read by its configuration', (name) => {
    const set = Object.keys((services[name] as Service).environment ?? {}).filter(isOurs);
    expect(set.length).toBeGreaterThan(0);
    for (const variable of set) expect(configurations[name]).toContain(`\${env:${variable}`);
  });

  test('leave the collector room between its own limit of memory and that of its container', () => {
    const limitMib = Number(
      /limit_mib: \$\{env:COLLECTOR_MEMORY_LIMIT_MIB:-(\d+)\}/.exec(configurations['collector']!)![1],
    );
    const { mem_limit, environment } = services['collector']!;
    expect(limitMib * 1024 ** 2).toBeLessThan(bytesOf(mem_limit!));
    expect(bytesOf(environment!['GOMEMLIMIT']!)).toBe(limitMib * 0.8 * 1024 ** 2);
  });
});

describe('the profile clickhouse', () => {
  const example = Object.fromEntries(
    readText('stack/clickhouse/example.env')
      .split('\n')
      .filter((line) => /^\w+=/.test(line))
      .map((line) => line.split('=') as [string, string]),
  );
  const { clickhouse, collector, grafana } = services as Record<string, Service>;

  test('starts with what the example of .env says', () => {
    const { COMPOSE_PROFILES: profile, ...others } = example;
    expect(clickhouse!.profiles).toEqual([profile]);
    const compose = readText('docker-compose.yml');
    for (const name of Object.keys(others)) expect(compose).toContain(`\${${name}:-`);
  });

  test('gives the collector its overlay and Grafana its data source, which are mounted', () => {
    const overlay = withDefaults(collector!.command!.at(-1)!, example);
    const file = repositoryPathOf(collector!, overlay)!;
    expect(readText(file)).toContain('${env:CLICKHOUSE_WRITER_PASSWORD}');
    const [source] = grafana!
      .volumes!.map((volume) => withDefaults(volume, example))
      .filter((volume) => volume.includes('clickhouse'));
    expect(source).toMatch(/^\.\/grafana\/clickhouse\/clickhouse\.yaml:\/etc\/grafana\/provisioning\/datasources\//);
    const { datasources } = parse(readText('grafana/clickhouse/clickhouse.yaml')) as {
      datasources: { type: string; jsonData: { username: string }; secureJsonData: { password: string } }[];
    };
    expect(datasources[0]!.type).toBe(example['GRAFANA_PLUGINS']);
    const reader = datasources[0]!.secureJsonData.password.slice(1);
    expect(readText('stack/clickhouse/users.xml')).toMatch(
      new RegExp(`<${datasources[0]!.jsonData.username}>\\s*<password from_env="${reader}"`),
    );
  });

  test('has no password by default, and does not start without', () => {
    for (const service of [clickhouse!, collector!, grafana!]) {
      for (const [name, value] of Object.entries(service.environment ?? {})) {
        if (name.endsWith('_PASSWORD')) expect([name, withDefaults(value)]).toEqual([name, '']);
      }
    }
    expect([example['CLICKHOUSE_READER_PASSWORD'], example['CLICKHOUSE_WRITER_PASSWORD']]).toEqual(['', '']);
    const script = clickhouse!.entrypoint!.at(-1)!.replaceAll('$$', '$').replace('exec /entrypoint.sh', 'echo started');
    const start = (passwords: Record<string, string>): number | null =>
      spawnSync('/bin/sh', ['-c', script], { env: passwords }).status;
    expect(start({})).toBe(1);
    expect(start({ CLICKHOUSE_READER_PASSWORD: 'a' })).toBe(1);
    expect(start({ CLICKHOUSE_READER_PASSWORD: 'a', CLICKHOUSE_WRITER_PASSWORD: 'b' })).toBe(0);
  });

  test('lets the reader only read, and the collector write', () => {
    const users = readText('stack/clickhouse/users.xml');
    const grantsOf = (name: string): string[] =>
      [...new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(users)![1]!.matchAll(/<query>GRANT (.*?) ON/g)].map(
        ([, rights]) => rights!,
      );
    const [, afterProfiles] = users.split('</profiles>');
    expect(afterProfiles).toContain('<profile>convotel</profile>');
    expect(grantsOf('otel_writer')).toEqual(['SELECT, INSERT']);
    expect([
      ...new Set(
        [...afterProfiles!.split('</convotel>')[0]!.matchAll(/<query>GRANT (.*?) ON/g)].map(([, rights]) => rights),
      ),
    ]).toEqual(['SELECT']);
    expect(users).toContain('<readonly>2</readonly>');
  });
});

describe('Grafana', () => {
  const { environment } = services['grafana']!;

  test('shows what it has to everybody of this machine, and lets nobody change it who was not allowed to', () => {
    expect(environment!['GF_AUTH_ANONYMOUS_ORG_ROLE']).toBe('${GRAFANA_ROLE:-Viewer}');
  });

  test('answers under its own name only', () => {
    expect(environment).toMatchObject({ GF_SERVER_DOMAIN: 'localhost', GF_SERVER_ENFORCE_DOMAIN: 'true' });
  });
});
